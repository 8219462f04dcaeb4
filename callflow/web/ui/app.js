// The page: signing in, which view is shown, and the live link between server and board.

import { ask, whenSignedOut } from "./api.js";
import { Board } from "./board.js";
import { Callbacks } from "./callbacks.js";
import { Desk } from "./desk.js";
import { byId, say } from "./dom.js";
import { Live } from "./live.js";
import { showRecent, showRecord } from "./records.js";
import { Roster } from "./roster.js";
import { Wall } from "./wall.js";
import { problemWords } from "./words.js";

const KEEP_SESSION_MS = 5 * 60 * 1000;
const RECENT_AT_MOST_EVERY_MS = 10000;
const PROJECTED_AFTER_MS = 1500;
const ASK_ANEW_WITHIN_MS = 2000;

let me = null;
let board = new Board();
let parts = [];
let skew = 0;
let recentTimer = null;
let recentAt = 0;

const live = new Live({
  snapshot(seq, snapshot) {
    board.takeSnapshot(seq, snapshot);
    draw();
  },
  facts(seq, facts) {
    const finished = board.finished;
    board.takeFacts(seq, facts);
    draw();
    askAnew();
    if (board.finished > finished) planRecent();
  },
  link({ server, engine }) {
    const element = byId("link");
    element.classList.toggle("away", !server || !engine);
    if (!server) say(element, ["Server tidak terhubung", "Server not connected"]);
    else if (!engine) say(element, ["Mesin tidak terhubung", "Engine not connected"]);
    else say(element, ["Terhubung", "Connected"]);
    showStale(server && engine);
  },
  clock(serverMs) {
    skew = serverMs - Date.now();
  },
  dropped: recognise,
  signedOut: showLogin,
});

whenSignedOut(showLogin);

function draw() {
  for (const part of parts) part.draw(board);
  tick();
}

/** Once a second: times go on. */
function tick() {
  const now = Date.now() + skew;
  if (board.seq !== null) for (const part of parts) part.tick?.(now);
  byId("clock").textContent = new Date(now).toLocaleTimeString("id-ID", { timeZone: me.zone, timeZoneName: "short" });
}

/** Ask for what a fact said has changed; every page on the wall does, so not all at the same moment. */
function askAnew() {
  for (const what of board.stale) {
    board.stale.delete(what);
    const [of, login] = [board, me.login];
    setTimeout(async () => {
      const answer = await ask("GET", `/${what}`).catch(() => null);
      if (!answer || board !== of || me?.login !== login) return;
      board.takeAnew(what, answer);
      draw();
    }, Math.random() * ASK_ANEW_WITHIN_MS);
  }
}

function showLogin() {
  live.stop();
  me = null;
  byId("bar").hidden = true;
  byId("board").hidden = true;
  byId("record").hidden = true;
  byId("record").replaceChildren();
  byId("recent").replaceChildren();
  byId("login").hidden = false;
  byId("login-name").focus();
}

/** What is shown may be old: say so, and that callers are served all the same. */
function showStale(fresh) {
  byId("board").classList.toggle("stale", !fresh);
  byId("stale").hidden = fresh;
  const words = [
    "Mesin tidak terhubung: data di bawah mungkin sudah lama. Penelepon tetap dilayani Asterisk.",
    "Engine not connected: what is below may be old. Asterisk goes on serving callers.",
  ];
  say(byId("stale"), fresh ? null : words);
}

function enter(session) {
  me = session;
  board = new Board();
  for (const id of ["calls", "operators", "alarms", "desk-state", "roster"]) byId(id).replaceChildren();
  parts = [new Wall(me, post), new Desk(me, post), new Callbacks(me, post), new Roster(me)];
  say(byId("login-error"), null);
  byId("login-form").reset();
  byId("login").hidden = true;
  byId("bar").hidden = false;
  byId("centre-name").textContent = me.centre_name;
  byId("who").textContent = me.login;
  document.title = `112 · ${me.centre_name}`;
  live.start();
  route();
}

/** Show the login when there is no session any more. */
async function recognise() {
  try {
    return await ask("GET", "/session");
  } catch {
    return null;
  }
}

function route() {
  if (!me) return;
  const [, id] = /^#\/calls\/(.+)$/.exec(location.hash) ?? [];
  byId("board").hidden = id !== undefined;
  byId("record").hidden = id === undefined;
  if (id !== undefined) {
    showRecord(me, decodeURIComponent(id));
    return;
  }
  const reads = me.permissions.includes("read_calls") || me.permissions.includes("read_own_calls");
  byId("recent-panel").hidden = !reads;
  if (reads) refreshRecent();
}

function refreshRecent() {
  recentAt = Date.now();
  clearTimeout(recentTimer);
  recentTimer = null;
  showRecent(me);
}

function planRecent() {
  if (recentTimer !== null || byId("recent-panel").hidden || byId("board").hidden) return;
  const wait = Math.max(PROJECTED_AFTER_MS, recentAt + RECENT_AT_MOST_EVERY_MS - Date.now());
  recentTimer = setTimeout(() => {
    recentTimer = null;
    if (me && !document.hidden) refreshRecent();
  }, wait);
}

/** Ask for a change, once at a time for each button; a refusal is told in the element `place`. Whether it was done. */
async function post(place, path, body, button) {
  if (button.ariaBusy) return false;
  button.ariaBusy = "true"; // not disabled: that would take the focus away
  say(byId(place), null);
  try {
    await ask("POST", path, body);
    return true;
  } catch (error) {
    say(byId(place), problemWords(error));
    return false;
  } finally {
    button.ariaBusy = null;
  }
}

byId("login-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const button = event.target.querySelector("button");
  button.disabled = true;
  try {
    enter(await ask("POST", "/session", { login: form.get("login"), password: form.get("password") }));
    byId("main").focus();
  } catch (error) {
    say(byId("login-error"), problemWords(error));
    byId("login-password").select();
  }
  button.disabled = false;
});

byId("leave").addEventListener("click", async () => {
  try {
    await ask("DELETE", "/session");
  } catch {
    // The session is over in any case as far as this page goes.
  }
  showLogin();
});
byId("recent-refresh").addEventListener("click", refreshRecent);
addEventListener("hashchange", route);
setInterval(() => me && recognise(), KEEP_SESSION_MS);
setInterval(() => me && tick(), 1000);

const session = await recognise();
if (session) enter(session);
else showLogin();
