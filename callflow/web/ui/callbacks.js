// Draws the call-backs: whom to call, until when, whose it is, and what one may do about it.

import { arrange, both, byId, duration, el, keep, offer, say, show } from "./dom.js";
import { words } from "./words.js";

const OUTCOMES = ["not_reached", "not_needed", "redialled", "reached"];

export class Callbacks {
  /** `ask(place, path, body, button)` posts, and tells a refusal in the element of that id. */
  constructor(me, ask) {
    this.me = me;
    this.ask = ask;
    this.rows = new Map();
    this.acts = me.permissions.includes("call_back");
    this.assigns = me.permissions.includes("assign_callbacks");
    byId("callbacks").replaceChildren();
    byId("callbacks-panel").hidden = !me.permissions.includes("see_callbacks");
  }

  draw(board) {
    this.board = board;
    keep(this.rows, new Set(board.callbacks.keys()));
    const sorted = [...board.callbacks.values()].sort((a, b) => a.opened_at.localeCompare(b.opened_at));
    const rows = sorted.map((callback) => {
      if (!this.rows.has(callback.call)) this.rows.set(callback.call, this.row(callback));
      const row = this.rows.get(callback.call);
      this.fill(row, callback);
      return row.tr;
    });
    arrange(byId("callbacks"), rows);
    byId("callbacks-empty").hidden = rows.length > 0;
    byId("callbacks-count").textContent = String(rows.length);
  }

  /** Once a second: deadlines come nearer. */
  tick(now) {
    for (const row of this.rows.values()) {
      const left = (Date.parse(row.callback.deadline) - now) / 1000;
      const overdue = this.board.isOverdue(row.callback, now);
      row.tr.classList.toggle("overdue", overdue);
      const said = left < 0 ? [`Terlambat ${duration(-left)}`, "overdue"] : [`${overdue ? "Terlambat, s" : "S"}isa ${duration(left)}`, overdue ? "overdue, left" : "left"];
      if (row.said !== said[0]) say(row.time, said);
      row.said = said[0];
    }
  }

  fill(row, callback) {
    const { number, owner, attempt, attempts } = callback;
    row.callback = callback;
    const names = [...this.board.operators.values()].map((each) => [each.operator, each.name]);
    const seen = JSON.stringify([number, owner, attempt, attempts, names]);
    if (row.seen === seen) return;
    row.seen = seen;
    say(row.number, number ? [number] : ["Disembunyikan", "Hidden"]);
    say(row.owner, owner ? [this.nameOf(owner)] : ["Belum ada", "Nobody yet"]);
    let tried = attempts ? [`${attempts} percobaan`, `${attempts} tried`] : null;
    if (attempt) tried = ["Sedang dihubungi", "Being called"];
    say(row.tried, tried);
    const mine = this.assigns || owner === null || owner === this.me.operator;
    const free = this.acts && mine && !attempt;
    show(row.tr, [
      [row.take, free && this.me.operator !== null && owner !== this.me.operator],
      [row.dial, free && this.me.operator !== null],
      [row.close, free],
      [row.give, free && this.assigns],
    ]);
    offer(row.whom, names);
  }

  nameOf(operator) {
    return this.board.operators.get(operator)?.name ?? operator;
  }

  row({ call, number }) {
    const about = number ?? call;
    const [time, owner, tried] = [el("td", { className: "number" }), el("span"), el("span", { className: "sub" })];
    const numberCell = el("td", { className: "caller" });
    const button = (pair, how, body) => {
      const made = el("button", { type: "button", className: "quiet" }, ...both(pair));
      made.setAttribute("aria-label", `${pair[0]}: ${about}`);
      made.onclick = () => this.ask("callbacks-error", `/callbacks/${encodeURIComponent(call)}/${how}`, body(), made);
      return made;
    };
    const choice = (label) => {
      const made = el("select");
      made.setAttribute("aria-label", `${label}: ${about}`);
      return made;
    };
    const take = button(["Ambil", "Take"], "take", () => ({}));
    const dial = button(["Telepon", "Dial"], "dial", () => ({}));
    const outcome = choice("Hasil / Outcome");
    offer(outcome, OUTCOMES.map((each) => [each, words("outcome", each).join(" / ")]));
    const close = el("span", { className: "pair" }, outcome, button(["Tutup", "Close"], "close", () => ({ outcome: outcome.value })));
    const whom = choice("Petugas / Operator");
    const give = el("span", { className: "pair" }, whom, button(["Berikan", "Give to"], "take", () => ({ operator: whom.value })));
    const controls = el("div", { className: "moves" }, take, dial, close, give);
    const tr = el("tr", {}, numberCell, time, el("td", {}, owner, tried), el("td", {}, controls));
    tr.dataset.call = call;
    return { tr, number: numberCell, time, owner, tried, take, dial, close, give, whom, said: "", seen: "" };
  }
}
