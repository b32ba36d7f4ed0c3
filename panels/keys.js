// What is pressed within an element is its own, but with Ctrl or Cmd: Jupyter takes an a for "a cell
// above". It asks each element from the focused one outwards, so that one must bear the mark.
// Returns a function that ends it.
function own_keys(root) {
  const mark = ({ target, ctrlKey, metaKey }) => {
    if (!root.contains(target)) return;
    target.toggleAttribute("data-lm-suppress-shortcuts", !ctrlKey && !metaKey);
  };
  const leave = ({ target }) => {  // Jupyter takes the focus only from what is not in its cell
    const active = document.activeElement;
    if (root.contains(active) && !root.contains(target)) active.blur();
  };
  addEventListener("keydown", mark, true);  // before Jupyter hears of it
  addEventListener("pointerdown", leave, true);
  return () => {
    removeEventListener("keydown", mark, true);
    removeEventListener("pointerdown", leave, true);
  };
}
