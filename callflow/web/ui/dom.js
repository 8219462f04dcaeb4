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

/** Seconds as m:ss, or h:mm:ss. */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}
