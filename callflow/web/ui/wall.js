// Draws what everybody sees: calls, operators, alarms. Rows are kept, so that focus stays where it is.

import { arrange, both, byId, chip, duration, el, keep, say } from "./dom.js";
import { callerWords, pauseWords, words } from "./words.js";

export const MOVES = {
  "sign-in": ["Mulai bertugas", "Sign in"],
  pause: ["Jeda", "Pause"],
  resume: ["Siap lagi", "Ready again"],
  "sign-out": ["Selesai bertugas", "Sign out"],
};
const MOVES_FROM = {
  signed_out: ["sign-in"],
  available: ["pause", "sign-out"],
  paused: ["resume", "sign-out"],
  wrap_up: ["resume", "pause", "sign-out"],
};

/** What a person in this state may ask for about being at work. */
export const movesFrom = (state) => MOVES_FROM[state] ?? ["pause", "sign-out"];

const WITH_PERSON = new Set(["connected", "consulting", "three_way", "agency_only"]);

/** A mark beside a call whose caller was not heard yet: nobody assumes that this is a prank. */
export function silenceMark(call) {
  if (call.spoke || !WITH_PERSON.has(call.state)) return null;
  const pair = call.pressed ? ["Menekan tombol", "Pressed a key"] : ["Belum bersuara", "Has not spoken"];
  return el("span", { className: "mark" }, ...both(pair));
}

/** The one line on what is known of the number. */
export function reasonLine({ assessed }) {
  if (!assessed?.reason_id) return null;
  const line = both([assessed.reason_id, assessed.reason_en]);
  return el("span", { className: assessed.flagged ? "suspect" : "sub" }, ...(assessed.flagged ? both(["Mungkin iseng", "Maybe a prank"]).concat(": ") : []), ...line);
}

/** Who is brought in beside the caller, and how far that is. */
export function partyLine(board, { state, party }) {
  if (!party) return null;
  const agency = board.agencies.find((each) => each.name === party.name);
  const known = agency?.label ?? (party.kind === "colleague" ? board.operators.get(party.name)?.name : undefined) ?? (party.kind === "medical" ? undefined : party.name);
  let how = ["dihubungi", "being reached"];
  if (state === "consulting") how = ["konsultasi", "consulted"];
  else if (party.joined) how = party.spoke ? ["tersambung", "joined"] : ["belum bersuara", "has not spoken"];
  const name = known ? [known] : both(words("brought", party.kind));
  const where = party.destination && party.destination !== party.name ? ` (${party.destination})` : "";
  return el("span", { className: "sub" }, "+ ", ...name, where, ": ", ...both(how));
}

export class Wall {
  /** `ask(place, path, body)` posts, and tells a refusal in the element of that id. */
  constructor(me, ask) {
    this.me = me;
    this.ask = ask;
    this.rows = new Map();
    this.cards = new Map();
    byId("operators-panel").hidden = !me.permissions.includes("see_operators");
  }

  draw(board) {
    this.board = board;
    this.drawCalls(board.calls);
    this.drawOperators(board.operators);
    this.drawAlarms(board.alarms);
  }

  /** Once a second: times go on. */
  tick(now) {
    for (const { time, from } of this.rows.values()) time.textContent = duration((now - Date.parse(from)) / 1000);
    for (const { since, from } of this.cards.values()) since.textContent = duration((now - Date.parse(from)) / 1000);
  }

  drawCalls(calls) {
    const sorted = [...calls.values()].sort((a, b) => a.arrived_at.localeCompare(b.arrived_at));
    keep(this.rows, new Set(calls.keys()));
    const rows = sorted.map((call) => {
      if (!this.rows.has(call.call)) this.rows.set(call.call, callRow());
      const row = this.rows.get(call.call);
      this.fillCall(row, call);
      return row.tr;
    });
    arrange(byId("calls"), rows);
    byId("calls-empty").hidden = calls.size > 0;
    byId("calls-count").textContent = String(calls.size);
  }

  fillCall(row, call) {
    row.from = call.connected_at ?? call.arrived_at;
    const ringing = call.offers.filter((offer) => offer.state === "ringing" && offer.purpose !== "party");
    const seen = JSON.stringify([call, [call, ...ringing].map((each) => this.nameOf(each)), this.board.agencies]);
    if (row.seen === seen) return;
    row.seen = seen;
    row.tr.dataset.call = call.call;
    row.state.replaceChildren(...some(chip(call.state, words("call", call.state)), silenceMark(call)));
    row.caller.replaceChildren(...some(...both(callerWords(call.caller)), call.assessed?.flagged ? reasonLine(call) : null));
    const kind = call.skill ? words("skill", call.skill) : call.tier ? words("tier", call.tier) : ["–"];
    const outbound = call.direction === "outbound" ? el("span", { className: "sub" }, ...both(["Telepon balik", "Call-back"])) : null;
    row.kind.replaceChildren(...some(...both(kind), outbound));
    row.person.replaceChildren(...some(...this.personOf(call, ringing), partyLine(this.board, call)));
  }

  personOf(call, ringing) {
    if (call.operator || call.destination) return [this.nameOf(call)];
    if (ringing.length) return [...both(["Berdering", "Ringing"]), el("span", { className: "sub" }, ringing.map((offer) => this.nameOf(offer)).join(", "))];
    if (call.state === "agency_only" && call.seeks) return both(["Petugas dicari", "An operator is sought"]);
    return ["–"];
  }

  nameOf({ operator, destination }) {
    if (operator) return this.board.operators.get(operator)?.name ?? operator;
    return destination ?? words("brought", "number")[0];
  }

  drawOperators(operators) {
    keep(this.cards, new Set(operators.keys()));
    const sorted = [...operators.values()].sort((a, b) => a.name.localeCompare(b.name));
    const rows = sorted.map((operator) => {
      if (!this.cards.has(operator.operator)) this.cards.set(operator.operator, operatorCard());
      const card = this.cards.get(operator.operator);
      this.fillOperator(card, operator);
      return card.tr;
    });
    arrange(byId("operators"), rows);
    const ready = sorted.filter((operator) => operator.state === "available" && operator.online).length;
    say(byId("operators-count"), [`${ready}/${sorted.length} siap`, "ready"]);
  }

  fillOperator(card, operator) {
    card.from = operator.since;
    const seen = JSON.stringify([operator, this.board.reasons]);
    if (card.seen === seen) return;
    card.seen = seen;
    card.name.textContent = operator.name;
    card.agency.textContent = operator.agency ?? "";
    card.state.replaceChildren(chip(operator.state, words("operator", operator.state)));
    card.phone.className = `phone sub${operator.online ? "" : " off"}`;
    say(card.phone, operator.online ? ["Telepon terhubung", "Phone online"] : ["Telepon tidak terhubung", "Phone offline"]);
    say(card.reason, operator.reason ? pauseWords(this.board.reasons, operator.reason) : null);
    if (this.me.permissions.includes("move_others")) this.fillMoves(card.moves, operator);
  }

  fillMoves(place, operator) {
    const held = place.contains(document.activeElement);
    const buttons = movesFrom(operator.state).map((verb) => {
      const button = el("button", { type: "button", className: "quiet" }, ...both(MOVES[verb]));
      button.dataset.verb = verb;
      button.setAttribute("aria-label", `${MOVES[verb][0]}: ${operator.name}`);
      button.onclick = () => this.ask("operators-error", `/operators/${operator.operator}/${verb}`, {}, button);
      return button;
    });
    place.replaceChildren(...buttons);
    if (held) buttons[0]?.focus();
  }

  drawAlarms(alarms) {
    const seen = JSON.stringify([...alarms.values()]);
    if (this.alarmsSeen === seen) return;
    this.alarmsSeen = seen;
    const place = byId("alarms");
    place.hidden = alarms.size === 0;
    place.replaceChildren(
      ...[...alarms.values()].map(({ kind, subject, detail, since }) =>
        el(
          "div",
          { className: "alarm" },
          el("strong", {}, ...both(words("alarm", kind))),
          el("span", {}, [this.board.operators.get(subject)?.name ?? subject, detail].filter(Boolean).join(": ")),
          el("time", { dateTime: since }, new Date(since).toLocaleTimeString("id-ID", { timeZone: this.me.zone })),
        ),
      ),
    );
  }
}

const some = (...nodes) => nodes.filter((node) => node !== null);

function callRow() {
  const [state, caller, kind, time, person] = ["", "caller", "", "number", ""].map((className) => el("td", { className }));
  return { tr: el("tr", {}, state, caller, kind, time, person), state, caller, kind, time, person, from: "", seen: "" };
}

function operatorCard() {
  const name = el("span", { className: "name" });
  const since = el("span", { className: "number sub" });
  const [state, phone, reason, agency] = [el("span"), el("span", { className: "phone sub" }), el("span", { className: "sub" }), el("span", { className: "sub" })];
  const moves = el("div", { className: "moves" });
  const tr = el("li", {}, el("div", {}, name, agency, phone, reason), el("div", { className: "number" }, state, since), moves);
  return { tr, name, agency, state, phone, since, reason, moves, from: "", seen: "" };
}
