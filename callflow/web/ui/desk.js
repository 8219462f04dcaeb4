// Draws one's own desk: at work or not, the call in hand with what can be done about it, what a call was.

import { both, byId, chip, duration, el, offer, say, show } from "./dom.js";
import { movesFrom, partyLine, reasonLine, silenceMark } from "./wall.js";
import { callerWords, pauseWords, words } from "./words.js";

/** Which talk buttons are of use; whether one is possible is the engine's to say. */
function talkFor({ state, party, spoke, direction }) {
  if (state === "consulting") return ["merge", "return", "leave"];
  if (state === "three_way") return ["leave", "drop"];
  if (party) return ["drop"];
  return ["medical", "join", "consult", "transfer", ...(spoke || direction === "outbound" ? [] : ["challenge"])];
}

export class Desk {
  /** `ask(place, path, body, button)` posts, and tells a refusal in the element of that id. */
  constructor(me, ask) {
    this.me = me;
    this.place = byId("desk");
    this.mine = me.operator !== null && me.permissions.includes("see_operators");
    this.since = null;
    this.place.hidden = true;
    const post = (button, path, body) => ask("desk-error", path, body, button);
    const own = `/operators/${me.operator}`;
    for (const button of this.buttons("move")) {
      const verb = button.dataset.move;
      button.onclick = () => post(button, `${own}/${verb}`, verb === "pause" ? { reason: byId("pause-reason").value } : {});
    }
    for (const button of this.buttons("talk")) {
      const action = button.dataset.talk;
      button.onclick = () => {
        if (action === "medical") post(button, `${own}/talk`, { action: "join", target: "medical" });
        else if (this.needsTarget(action)) this.talkWith(action, (body) => post(button, `${own}/talk`, body));
        else post(button, `${own}/talk`, { action });
      };
    }
    for (const button of this.buttons("classify")) {
      button.onclick = () => post(button, `/calls/${encodeURIComponent(this.call)}/classification`, { classification: button.dataset.classify });
    }
  }

  buttons(name) {
    return this.place.querySelectorAll(`button[data-${name}]`);
  }

  needsTarget(action) {
    return ["join", "consult", "transfer"].includes(action);
  }

  talkWith(action, post) {
    const input = byId("target");
    if (!input.value.trim()) {
      say(byId("desk-error"), ["Isi instansi, rekan, atau nomor dulu", "Say which agency, colleague or number first"]);
      input.focus();
      return;
    }
    post({ action, target: input.value.trim() }).then((done) => {
      if (done) input.value = "";
    });
  }

  draw(board) {
    const operator = board.operators.get(this.me.operator);
    this.place.hidden = !this.mine || !operator;
    if (this.place.hidden) return;
    this.drawState(board, operator);
    this.drawHand(board, operator);
  }

  drawState(board, operator) {
    this.since = operator.since;
    const seen = JSON.stringify([operator.state, operator.reason, operator.online, board.reasons]);
    if (this.stateSeen === seen) return;
    this.stateSeen = seen;
    byId("desk-state").replaceChildren(
      chip(operator.state, words("operator", operator.state)),
      ...(operator.reason ? [" ", ...both(pauseWords(board.reasons, operator.reason))] : []),
      operator.online ? "" : el("span", { className: "error" }, " ", ...both(["Telepon Anda tidak terhubung", "Your phone is offline"])),
    );
    offer(byId("pause-reason"), board.reasons.map((each) => [each.name, `${each.label_id} / ${each.label_en}`]));
    const moves = movesFrom(operator.state);
    const shown = [...this.buttons("move")].map((button) => [button.closest("[data-with]") ?? button, moves.includes(button.dataset.move)]);
    show(byId("desk-buttons"), shown);
  }

  drawHand(board, operator) {
    const call = board.calls.get(operator.call);
    const talks = call !== undefined && call.operator === operator.operator;
    this.call = operator.call ?? operator.last_call ?? null;
    this.from = call && (call.connected_at ?? call.arrived_at);
    show(byId("desk"), [[byId("hand"), call !== undefined], [byId("classify"), this.call !== null]]);
    const classified = board.classified.get(this.call);
    for (const button of this.buttons("classify")) {
      button.setAttribute("aria-pressed", String(button.dataset.classify === classified));
    }
    say(byId("classify-of"), call ? ["Panggilan ini", "This call was"] : ["Panggilan terakhir", "The last call was"]);
    if (!call) return;
    const useful = talks ? talkFor(call) : [];
    const shown = [...this.buttons("talk")].map((button) => [button, useful.includes(button.dataset.talk)]);
    show(byId("desk"), [...shown, [byId("target-field"), useful.includes("join")]]);
    // Until the other side has spoken, staying is the thing to do; the engine holds to it whatever is pressed.
    const safe = call.party !== null && (call.party.spoke || call.party.kind === "colleague");
    for (const button of this.buttons("talk")) if (button.dataset.talk === "leave") button.classList.toggle("strong", safe);
    const seen = JSON.stringify([call, board.agencies]);
    if (this.handSeen === seen) return;
    this.handSeen = seen;
    const lines = [silenceMark(call), reasonLine(call), partyLine(board, call)].filter(Boolean);
    byId("hand-call").replaceChildren(
      chip(call.state, words("call", call.state)),
      " ",
      el("strong", { className: "caller" }, ...both(callerWords(call.caller))),
      ...lines.flatMap((line) => [" ", line]),
    );
    const colleagues = [...board.operators.values()].filter((each) => each.operator !== operator.operator && each.state === "available");
    offer(byId("targets"), [
      ...board.agencies.map((each) => [each.name, `${each.label} ${each.code}`]),
      ...colleagues.map((each) => [each.operator, each.name]),
    ]);
  }

  tick(now) {
    if (this.since) byId("desk-since").textContent = duration((now - Date.parse(this.since)) / 1000);
    byId("hand-time").textContent = this.from ? duration((now - Date.parse(this.from)) / 1000) : "";
  }
}
