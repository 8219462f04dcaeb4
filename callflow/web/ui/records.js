// Finished calls and the record of one. Loading them is a look at people's data, which the server records.

import { ask } from "./api.js";
import { both, byId, chip, duration, el, say } from "./dom.js";
import { callerWords, problemWords, trackWords, words } from "./words.js";

const seconds = (from, to) => (from && to ? duration((Date.parse(to) - Date.parse(from)) / 1000) : "–");
const callerOf = (call) => callerWords({ number: call.caller_number });

function times(zone) {
  const format = new Intl.DateTimeFormat("id-ID", { timeZone: zone, day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return (moment) => (moment ? el("time", { dateTime: moment }, format.format(new Date(moment))) : "–");
}

/** Fill the list of finished calls. */
export async function showRecent(me) {
  const at = times(me.zone);
  try {
    const { calls } = await ask("GET", "/calls?in_progress=false&limit=20");
    say(byId("recent-error"), null);
    byId("recent-empty").hidden = calls.length > 0;
    byId("recent").replaceChildren(
      ...calls.map((call) => {
        const link = el("a", { href: `#/calls/${encodeURIComponent(call.call_id)}` }, ...both(["Buka", "Open"]));
        link.setAttribute("aria-label", `Buka catatan ${call.call_id} / Open record`);
        return el(
          "tr",
          {},
          el("td", {}, at(call.arrived_at)),
          el("td", { className: "caller" }, ...both(callerOf(call))),
          el("td", {}, chip(call.stage, words("stage", call.stage)), ...under(call.classification && words("classification", call.classification))),
          el("td", { className: "number" }, seconds(call.arrived_at, call.answered_at)),
          el("td", { className: "number" }, seconds(call.arrived_at, call.ended_at)),
          el("td", {}, call.operator ?? call.destination ?? "–"),
          el("td", {}, link),
        );
      }),
    );
  } catch (error) {
    say(byId("recent-error"), problemWords(error));
  }
}

/** Show one record. */
export async function showRecord(me, id) {
  const place = byId("record");
  const title = el("h1", { id: "record-title", tabIndex: -1 }, ...both(["Catatan panggilan", "Call record"]));
  const back = el("p", {}, el("a", { href: "#/" }, "← ", ...both(["Kembali", "Back"])));
  place.replaceChildren(back, title);
  title.focus();
  try {
    const record = await ask("GET", `/calls/${encodeURIComponent(id)}`);
    place.append(...parts(me, record));
  } catch (error) {
    place.append(el("p", { className: "error", role: "alert" }, ...both(problemWords(error))));
  }
}

/** A second line of a cell. */
const under = (pair) => (pair ? [el("span", { className: "sub" }, ...both(pair))] : []);

function parts(me, { call, headers, steps, queue, offers, recording, accesses, ...more }) {
  const at = times(me.zone);
  const shown = [
    facts([
      [["Nomor panggilan", "Call id"], [call.call_id]],
      [["Penelepon", "Caller"], both(callerOf(call))],
      [["Kiriman trunk", "As the trunk sent it"], [call.caller_raw || "–"]],
      [["Nomor dituju, trunk", "Dialled, trunk"], [`${call.dialled}, ${call.trunk}`]],
      [["Masuk", "Arrived"], [at(call.arrived_at)]],
      [["Dijawab setelah", "Answered after"], [seconds(call.arrived_at, call.answered_at)]],
      [["Petugas", "Operator"], [call.operator ?? call.destination ?? "–"]],
      [["Selesai", "Ended"], [at(call.ended_at)]],
      [["Lama", "Length"], [seconds(call.arrived_at, call.ended_at)]],
      [["Hasil", "Result"], [call.stage ? chip(call.stage, words("stage", call.stage)) : "–"]],
      [["Diakhiri oleh", "Ended by"], [...(call.ended_by ? both(words("party", call.ended_by)) : ["–"]), call.cause === null ? "" : ` (Q.850 ${call.cause})`]],
      [["Jenis panggilan", "Classified"], call.classification ? [...both(words("classification", call.classification)), ` (${call.classified_by})`] : ["–"]],
      ...(more.assessment ? [[["Tentang nomor ini", "About the number"], both([more.assessment.reason_id, more.assessment.reason_en])]] : []),
      ...(call.callback_of ? [[["Telepon balik untuk", "Calls back"], [linkTo(call.callback_of)]]] : []),
      ...(more.callback ? [[["Telepon balik", "Call-back"], callbackOf(more.callback)]] : []),
      ...(call.fallback ? [[["Jalur cadangan", "Fallback"], both(["Ya", "Yes"])]] : []),
    ]),
    heading(["Rekaman", "Recording"]),
    ...audio(me, call, recording),
    heading(["Langkah menu", "Menu steps"]),
    table([["Langkah", "Step"], ["Keluar", "Exit"], ["Tombol", "Keys"], ["Mulai", "Entered"], ["Lama", "Length"]], steps, (step) => [step.node, step.exit, step.keys || "–", at(step.entered_at), seconds(step.entered_at, step.left_at)]),
    heading(["Antrean", "Queue"]),
    table([["Masuk antrean", "Queued"], ["Sebab", "Reason"], ["Tingkat", "Tier"], ["Keahlian", "Skill"], ["Menunggu", "Waited"], ["Keluar", "Left"]], queue, (wait) => [at(wait.queued_at), both(words("reason", wait.reason)), both(words("tier", wait.tier)), wait.skill ? both(words("skill", wait.skill)) : "–", seconds(wait.queued_at, wait.left_at), wait.left_reason ? both(words("left", wait.left_reason)) : "–"]),
    heading(["Tawaran", "Offers"]),
    table([["Kepada", "To"], ["Berdering", "Rang at"], ["Hasil", "Outcome"], ["Lama", "Length"]], offers, (offer) => [offer.operator ?? offer.destination ?? "–", at(offer.made_at), offer.outcome ? chip(offer.outcome, words("offer", offer.outcome)) : "–", seconds(offer.made_at, offer.closed_at)]),
  ];
  if (more.parties.length) shown.push(heading(["Pihak lain", "Parties"]), table([["Siapa", "Who"], ["Dicari", "Sought"], ["Tersambung", "Joined"], ["Bersuara", "Spoke"], ["Sampai", "Until"], ["Oleh", "By"]], more.parties, (party) => [partyOf(party), at(party.sought_at), at(party.joined_at), at(party.spoke_at), at(party.gone_at), party.operator ?? "–"]));
  if (more.consultations.length) shown.push(heading(["Konsultasi", "Consultations"]), table([["Nomor", "Number"], ["Dengan", "With"], ["Mulai", "Began"], ["Lama", "Length"], ["Petugas", "Operator"]], more.consultations, (each) => [String(each.number), each.name, at(each.began_at), seconds(each.began_at, each.ended_at), each.operator ?? "–"]));
  if (more.classifications.length > 1) shown.push(heading(["Penilaian", "Classifications"]), table([["Waktu", "Time"], ["Jenis", "Kind"], ["Oleh", "By"]], more.classifications, (each) => [at(each.at), both(words("classification", each.classification)), each.by]));
  if (headers.length) shown.push(heading(["Tajuk trunk", "Trunk headers"]), table([["Nama", "Name"], ["Isi", "Value"]], headers, (header) => [header.name, header.value]));
  if (accesses) shown.push(heading(["Dilihat oleh", "Looked at by"]), table([["Waktu", "Time"], ["Siapa", "Who"], ["Apa", "What"], ["Tujuan", "Purpose"]], accesses, (access) => [at(access.at), access.who, access.what, access.purpose]));
  return shown;
}

const linkTo = (call) => el("a", { href: `#/calls/${encodeURIComponent(call)}` }, call);

function partyOf({ name, kind, destination }) {
  const said = kind ? words("brought", kind) : [name];
  return [...both(said), ...under([[name, destination].filter((each) => each && each !== "medical").join(", ")])];
}

function callbackOf({ outcome, owner, attempts }) {
  const how = outcome ? words("outcome", outcome) : ["Belum selesai", "Open"];
  return [...both(how), owner ? ` · ${owner}` : "", ...attempts.flatMap((each) => [" · ", linkTo(each.call_id)])];
}

function audio(me, call, tracks) {
  if (!me.permissions.includes("hear_recordings")) return [el("p", { className: "empty" }, ...both(["Tidak diizinkan mendengar", "Not permitted to listen"]))];
  if (!tracks.length && call.no_recording) return [el("p", { className: "empty" }, ...both(["Tidak ada rekaman", "There is no recording"]), `: ${call.no_recording}`)];
  if (!tracks.length) return [el("p", { className: "empty" }, ...both(["Belum ada rekaman", "No recording yet"]))];
  return [...tracks].sort((a, b) => placeOf(a) - placeOf(b) || a.name.localeCompare(b.name, "en", { numeric: true })).flatMap((track) => {
    const player = el("audio", { controls: true, preload: "none", src: `/api/v1/calls/${encodeURIComponent(call.call_id)}/recording/${track.name}` });
    player.setAttribute("aria-label", trackWords(track.name).join(" / "));
    return [
      el("p", {}, ...both(trackWords(track.name)), ` · ${duration(track.seconds)}`),
      player,
      el("p", { className: "digest" }, `sha256 ${track.sha256}`),
    ];
  });
}

/** The call first, then its consultations in order. */
const placeOf = ({ name }) => ["mixed", "in", "out"].indexOf(name) + 1 || 4;

const heading = (pair) => el("h2", {}, ...both(pair));

function facts(entries) {
  return el("dl", {}, ...entries.flatMap(([pair, nodes]) => [el("dt", {}, ...both(pair)), el("dd", {}, ...nodes)]));
}

function table(columns, rows, cells) {
  if (!rows.length) return el("p", { className: "empty" }, ...both(["Tidak ada", "None"]));
  const head = el("tr", {}, ...columns.map((pair) => el("th", { scope: "col" }, ...both(pair))));
  const body = rows.map((row) => el("tr", {}, ...cells(row).map((cell) => el("td", {}, ...(Array.isArray(cell) ? cell : [cell])))));
  return el("div", { className: "scroll", tabIndex: 0, role: "region" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}
