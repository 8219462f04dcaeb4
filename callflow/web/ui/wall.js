// Draws the board: calls, operators, alarms, one's own desk. Rows are kept, so that focus stays where it is.

import { both, byId, chip, duration, el, say } from "./dom.js";
import { callerWords, words } from "./words.js";

const MOVES = {
  "sign-in": ["Mulai bertugas", "Sign in"],
  "sign-out": ["Selesai bertugas", "Sign out"],
  pause: ["Istirahat", "Pause"],
  resume: ["Kembali", "Resume"],
};
const MOVES_FROM = { signed_out: ["sign-in"], available: ["pause", "sign-out"], paused: ["resume", "sign-out"] };
const MOVES_ELSE = ["pause", "sign-out"];

const movesFrom = (state) => MOVES_FROM[state] ?? MOVES_ELSE;

export class Wall {
  /** `move(operator, verb)` asks for a move and resolves when it is done or refused. */
  constructor(me, move) {
    this.me = me;
    this.move = move;
    this.rows = new Map();
    this.cards = new Map();
    this.skew = 0;
    byId("operators-panel").hidden = !me.permissions.includes("see_operators");
    byId("desk").hidden = me.operator === null || !me.permissions.includes("see_operators");
  }

  draw(board) {
    this.board = board;
    this.drawCalls(board.calls);
    this.drawOperators(board.operators);
    this.drawAlarms(board.alarms);
    this.drawDesk(board.operators.get(this.me.operator));
    this.tick();
  }

  /** Once a second: times go on. */
  tick() {
    const now = Date.now() + this.skew;
    for (const { time, from } of this.rows.values()) time.textContent = duration((now - Date.parse(from)) / 1000);
    for (const { since, from } of this.cards.values()) since.textContent = duration((now - Date.parse(from)) / 1000);
  }

  drawCalls(calls) {
    const sorted = [...calls.values()].sort((a, b) => a.arrived_at.localeCompare(b.arrived_at));
    const body = byId("calls");
    keep(this.rows, new Set(calls.keys()));
    for (const [place, call] of sorted.entries()) {
      let row = this.rows.get(call.call);
      if (!row) {
        row = callRow();
        this.rows.set(call.call, row);
      }
      if (body.children[place] !== row.tr) body.insertBefore(row.tr, body.children[place] ?? null);
      this.fillCall(row, call);
    }
    byId("calls-empty").hidden = calls.size > 0;
    byId("calls-count").textContent = String(calls.size);
  }

  fillCall(row, call) {
    row.from = call.connected_at ?? call.arrived_at;
    const ringing = call.offers.filter((offer) => offer.state === "ringing");
    const seen = JSON.stringify([call, ringing, ringing.map((offer) => this.nameOf(offer))]);
    if (row.seen === seen) return;
    row.seen = seen;
    row.tr.dataset.call = call.call;
    row.state.replaceChildren(chip(call.state, words("call", call.state)));
    say(row.caller, callerWords(call.caller));
    const kind = call.skill ? words("skill", call.skill) : call.tier ? words("tier", call.tier) : ["–"];
    say(row.kind, kind);
    if (call.operator || call.destination) row.person.replaceChildren(this.nameOf(call));
    else if (ringing.length) row.person.replaceChildren(...both(["Berdering", "Ringing"]), el("span", { className: "sub" }, ringing.map((offer) => this.nameOf(offer)).join(", ")));
    else row.person.replaceChildren("–");
  }

  nameOf({ operator, destination }) {
    return operator ? (this.board.operators.get(operator)?.name ?? operator) : destination;
  }

  drawOperators(operators) {
    const list = byId("operators");
    keep(this.cards, new Set(operators.keys()));
    const sorted = [...operators.values()].sort((a, b) => a.name.localeCompare(b.name));
    for (const [place, operator] of sorted.entries()) {
      let card = this.cards.get(operator.operator);
      if (!card) {
        card = operatorCard();
        this.cards.set(operator.operator, card);
      }
      if (list.children[place] !== card.tr) list.insertBefore(card.tr, list.children[place] ?? null);
      this.fillOperator(card, operator);
    }
    const ready = sorted.filter((operator) => operator.state === "available" && operator.online).length;
    say(byId("operators-count"), [`${ready}/${sorted.length} siap`, "ready"]);
  }

  fillOperator(card, operator) {
    card.from = operator.since;
    const seen = JSON.stringify(operator);
    if (card.seen === seen) return;
    card.seen = seen;
    card.name.textContent = operator.name;
    card.state.replaceChildren(chip(operator.state, words("operator", operator.state)));
    card.phone.className = `phone sub${operator.online ? "" : " off"}`;
    say(card.phone, operator.online ? ["Telepon terhubung", "Phone online"] : ["Telepon tidak terhubung", "Phone offline"]);
    card.reason.textContent = operator.reason;
    if (this.me.permissions.includes("move_others")) this.fillMoves(card.moves, operator, "quiet");
  }

  drawDesk(operator) {
    if (!operator) return;
    const seen = JSON.stringify([operator.state, operator.reason, operator.online]);
    if (this.deskSeen === seen) return;
    this.deskSeen = seen;
    byId("desk-state").replaceChildren(
      chip(operator.state, words("operator", operator.state)),
      operator.online ? "" : el("span", { className: "error" }, " ", ...both(["Telepon Anda tidak terhubung", "Your phone is offline"])),
    );
    this.fillMoves(byId("desk-buttons"), operator, "");
  }

  fillMoves(place, operator, className) {
    const held = place.contains(document.activeElement);
    const buttons = movesFrom(operator.state).map((verb) => {
      const strong = className === "" && (verb === "sign-in" || verb === "resume");
      const button = el("button", { type: "button", className: strong ? "strong" : className }, ...both(MOVES[verb]));
      button.dataset.verb = verb;
      if (className) button.setAttribute("aria-label", `${MOVES[verb][0]}: ${operator.name}`);
      button.onclick = async () => {
        button.disabled = true;
        await this.move(operator.operator, verb, className === "");
        button.disabled = false;
      };
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
          el("span", {}, [subject, detail].filter(Boolean).join(": ")),
          el("time", { dateTime: since }, new Date(since).toLocaleTimeString("id-ID", { timeZone: this.me.zone })),
        ),
      ),
    );
  }
}

function keep(rows, names) {
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.tr.remove();
    rows.delete(name);
  }
}

function callRow() {
  const [state, caller, kind, time, person] = ["", "caller", "", "number", ""].map((className) => el("td", { className }));
  return { tr: el("tr", {}, state, caller, kind, time, person), state, caller, kind, time, person, from: "", seen: "" };
}

function operatorCard() {
  const name = el("span", { className: "name" });
  const since = el("span", { className: "number sub" });
  const [state, phone, reason] = [el("span"), el("span", { className: "phone sub" }), el("span", { className: "sub" })];
  const moves = el("div", { className: "moves" });
  const tr = el("li", {}, el("div", {}, name, phone, reason), el("div", { className: "number" }, state, since), moves);
  return { tr, name, state, phone, since, reason, moves, from: "", seen: "" };
}
