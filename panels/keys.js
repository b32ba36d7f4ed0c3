// What is pressed within an element is its own, but with Ctrl or Cmd: Jupyter takes an a for "a cell
// above". It asks each element from the focused one outwards, so that one must bear the mark.
// Returns a function that ends it.
function own_keys(root) {
  const mark = ({ target, ctrlKey, metaKey }) => {
    if (!root.contains(target)) return;
    target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
  };
  addEventListener("keydown", mark, true);  // before Jupyter hears of it
  return () => removeEventListener("keydown", mark, true);
}
