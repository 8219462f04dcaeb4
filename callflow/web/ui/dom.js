// Builds elements from text only: nothing that a caller sends can become markup.

export const byId = (id) => document.getElementById(id);

/** An element; `props` are set as properties (className, hidden, onclick) or, with a dash or unknown, as attributes. */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Indonesian with English beside it, as nodes. */
export function both([id, en]) {
  return en === undefined || en === id ? [id] : [id, " ", el("span", { lang: "en" }, en)];
}

export const say = (element, pair) => element.replaceChildren(...(pair ? both(pair) : []));

export const chip = (state, pair) => el("span", { className: `chip ${state}` }, ...both(pair));

export const option = (value, text) => el("option", { value }, text);

/** A choice from `[value, text]` pairs; what is chosen stays, and nothing is touched when nothing changed. */
export function offer(select, pairs) {
  const seen = JSON.stringify(pairs);
  if (select.dataset.seen === seen) return;
  const { value } = select;
  select.dataset.seen = seen;
  select.replaceChildren(...pairs.map(([each, text]) => option(each, text)));
  if (pairs.some(([each]) => each === value)) select.value = value;
}

/** Show elements or not, by `[element, shown]`; focus that would be lost goes to the first control left in `place`. */
export function show(place, pairs) {
  const held = pairs.some(([element, shown]) => !shown && element.contains(document.activeElement));
  for (const [element, shown] of pairs) if (element.hidden === shown) element.hidden = !shown;
  if (held) [...place.querySelectorAll("button, select, input")].find((each) => each.checkVisibility())?.focus();
}

/** Put `rows` in this order below `place`; those that stay are not touched, so that focus stays too. */
export function arrange(place, rows) {
  for (const [at, row] of rows.entries()) if (place.children[at] !== row) place.insertBefore(row, place.children[at] ?? null);
}

/** Drop the rows of things that are gone. */
export function keep(rows, names) {
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.tr.remove();
    rows.delete(name);
  }
}

/** Seconds as m:ss, or h:mm:ss. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
