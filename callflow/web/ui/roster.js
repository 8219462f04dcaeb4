// Draws the roster: who is expected now, who of them is there, and who comes next.

import { both, byId, el } from "./dom.js";

const isThere = (operator) => operator !== undefined && operator.online && operator.state !== "signed_out";

export class Roster {
  constructor(me) {
    this.me = me;
    byId("roster-panel").hidden = !me.permissions.includes("see_roster");
  }

  draw(board) {
    const { now, next } = board.roster;
    const sees = this.me.permissions.includes("see_operators");
    const here = now.map(({ expected, present }) => expected.map((login) => (sees ? isThere(board.operators.get(login)) : present.includes(login))));
    const name = (login) => board.operators.get(login)?.name ?? login;
    const seen = JSON.stringify([now, next, here, [...board.operators.values()].map((each) => each.name)]);
    if (this.seen === seen) return;
    this.seen = seen;
    byId("roster").replaceChildren(...now.flatMap((shift, at) => this.shift(shift, here[at], name)), ...(next ? this.next(next, name) : []));
    byId("roster-empty").hidden = now.length > 0 || next !== null;
  }

  shift({ shift, until, expected }, here, name) {
    const there = here.filter(Boolean).length;
    return [
      el("h3", {}, shift),
      el("p", { className: "sub" }, ...both([`sampai ${this.time(until)}`, "until"]), " · ", ...both([`${there}/${expected.length} hadir`, "there"])),
      el(
        "ul",
        { className: "seats" },
        ...expected.map((login, at) => {
          const mark = here[at] ? ["Hadir", "There"] : ["Kursi kosong", "Empty seat"];
          return el("li", {}, name(login), " ", el("span", { className: `chip ${here[at] ? "available" : "empty-seat"}` }, ...both(mark)));
        }),
      ),
    ];
  }

  next({ shift, at, expected }, name) {
    const title = el("h3", {}, ...both(["Berikutnya", "Next"]), `: ${shift}, ${this.time(at)}`);
    return [title, el("p", { className: "sub" }, expected.map(name).join(", ") || "–")];
  }

  time(moment) {
    return new Date(moment).toLocaleTimeString("id-ID", { timeZone: this.me.zone, hour: "2-digit", minute: "2-digit" });
  }
}
