// The page: signing in, which view is shown, and the live link between server and board.

import { ask, whenSignedOut } from "./api.js";
import { Board } from "./board.js";
import { byId, say } from "./dom.js";
import { Live } from "./live.js";
import { showRecent, showRecord } from "./records.js";
import { Wall } from "./wall.js";
import { problemWords } from "./words.js";

const KEEP_SESSION_MS = 5 * 60 * 1000;
const RECENT_AT_MOST_EVERY_MS = 10000;
const PROJECTED_AFTER_MS = 1500;

let me = null;
let board = new Board();
let wall = null;
let recentTimer = null;
let recentAt = 0;

const live = new Live({
  snapshot(seq, snapshot) {
    board.takeSnapshot(seq, snapshot);
    wall.draw(board);
  },
  facts(seq, facts) {
    const finished = board.finished;
    board.takeFacts(seq, facts);
    wall.draw(board);
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
    wall.skew = serverMs - Date.now();
  },
  dropped: recognise,
  signedOut: showLogin,
});

whenSignedOut(showLogin);

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
  for (const id of ["calls", "operators", "alarms", "desk-buttons", "desk-state"]) byId(id).replaceChildren();
  wall = new Wall(me, move);
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

async function move(operator, verb, own) {
  const place = byId(own ? "desk-error" : "operators-error");
  say(place, null);
  try {
    await ask("POST", `/operators/${encodeURIComponent(operator)}/${verb}`, {});
  } catch (error) {
    say(place, problemWords(error));
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
setInterval(() => {
  if (!me) return;
  wall.tick();
  const now = new Date(Date.now() + wall.skew);
  byId("clock").textContent = now.toLocaleTimeString("id-ID", { timeZone: me.zone, timeZoneName: "short" });
}, 1000);

const session = await recognise();
if (session) enter(session);
else showLogin();
