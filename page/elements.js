// An element of the page, the numbers from 0, text fit for HTML, and what is said of a kernel that is
// silent: what all scripts here and in panels/ begin with.

function make(parent, tag, properties = {}, attributes = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return parent.appendChild(element);
}

const numbers = (n) => Array.from({ length: n }, (_, i) => i);

const SILENT = "The kernel does not answer: it is busy with a cell, or it was restarted. In that "
  + "case run the cell again.";

const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
