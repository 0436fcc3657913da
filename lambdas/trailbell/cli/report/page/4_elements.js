// Elements are made here and nowhere else; text goes in as text, so nothing in a record can become markup.
function make(tag, members = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4))
    : document.createElement(tag);
  for (const [name, value] of Object.entries(members)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}
function at(id) { return document.getElementById(id); }

// Of a text that is very long, both ends: for what may take several lines.
const LONGEST = 140;
function bounded(text) {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST / 2)}…${text.slice(-LONGEST / 2)}`;
}

// What is drawn anew is other elements: the keyboard stays on the one with the same key, or goes where it is told.
function keepFocus(drawing, otherwise = () => null) {
  const key = document.activeElement?.dataset.key;
  drawing();
  if (key) (keyed(key) ?? otherwise())?.focus({ preventScroll: true });
}
function keyed(key) { return document.querySelector(`[data-key="${CSS.escape(key)}"]`); }
