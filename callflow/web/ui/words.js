// Every word of the page that stands for a value of the API: Indonesian, English.

const WORDS = {
  call: {
    arrived: ["Tiba", "Arrived"], in_ivr: ["Menu", "In menu"], queued: ["Menunggu", "Waiting"],
    connected: ["Berbicara", "Talking"], consulting: ["Konsultasi", "Consulting"], three_way: ["Bertiga", "Three-way"],
    agency_only: ["Dengan instansi saja", "With the agency only"], ended: ["Selesai", "Ended"],
  },
  operator: {
    signed_out: ["Tidak bertugas", "Signed out"], available: ["Siap", "Ready"], offered: ["Berdering", "Ringing"],
    on_call: ["Menelepon", "On a call"], wrap_up: ["Mencatat", "Wrap-up"], paused: ["Jeda", "Paused"],
    busy_elsewhere: ["Sibuk lain", "Busy elsewhere"],
  },
  offer: {
    ringing: ["Berdering", "Ringing"], answered: ["Dijawab", "Answered"], declined: ["Ditolak", "Declined"],
    timed_out: ["Tidak diangkat", "No answer"], withdrawn: ["Ditarik", "Withdrawn"],
  },
  stage: {
    answered: ["Dijawab", "Answered"], abandoned_in_ivr: ["Putus di menu", "Left in the menu"],
    abandoned_in_queue: ["Putus di antrean", "Left the queue"],
    handled_in_fallback: ["Jalur cadangan", "Handled in fallback"], ended_in_information: ["Informasi", "Information"],
    outbound_reached: ["Terhubung kembali", "Called back"], outbound_not_reached: ["Tidak terhubung", "Not reached"],
  },
  party: {
    caller: ["Penelepon", "Caller"], operator: ["Petugas", "Operator"], destination: ["Tujuan", "Destination"],
    system: ["Sistem", "System"], unknown: ["Tidak diketahui", "Unknown"],
  },
  reason: {
    flow: ["Pilihan menu", "Flow"], no_flow: ["Tanpa menu", "No flow"], person_lost: ["Petugas terputus", "Operator lost"],
    party_gone: ["Instansi terputus", "Agency gone"], transferred: ["Dialihkan", "Transferred"],
    handed_back: ["Dikembalikan", "Handed back"], adopted: ["Diambil alih", "Adopted"],
  },
  left: {
    connected: ["Tersambung", "Connected"], ended: ["Selesai", "Ended"], handed_back: ["Dikembalikan", "Handed back"],
    queued_again: ["Antre lagi", "Queued again"],
  },
  tier: {
    gawat_darurat: ["Gawat darurat", "Emergency"], gawat_tidak_darurat: ["Tidak darurat", "Not an emergency"],
    informasi: ["Informasi", "Information"],
  },
  skill: {
    health: ["Medis", "Medical"], fire: ["Kebakaran", "Fire"], security: ["Keamanan", "Security"],
    disaster: ["Bencana", "Disaster"],
  },
  track: { mixed: ["Kedua arah", "Both directions"], in: ["Penelepon", "Caller"], out: ["Ke penelepon", "To the caller"] },
  alarm: {
    nobody_ready: ["Tidak ada petugas yang siap", "Nobody is ready"],
    no_phone_registered: ["Tidak ada telepon terdaftar", "No phone is registered"],
    last_resort_empty: ["Daftar upaya terakhir kosong", "The last-resort list is empty"],
    last_resort_failed: ["Upaya terakhir gagal", "The last resort failed"],
    command_failed: ["Perintah gagal", "A command failed"],
    decision_failed: ["Keputusan gagal", "A decision failed"],
    no_flow: ["Belum ada alur", "No flow is published"],
    prompt_failed: ["Suara tidak dapat diputar", "A prompt could not be played"],
    leg_stuck: ["Sambungan macet", "A leg is stuck"],
    seat_empty: ["Kursi kosong: semua telepon berdering", "An empty seat: every phone rings"],
    pause_overdue: ["Jeda terlalu lama", "A pause lasts too long"],
    medical_not_reached: ["Ambulans tidak terhubung", "No ambulance service was reached"],
    party_not_reached: ["Instansi atau nomor tidak terhubung", "An agency or number was not reached"],
    callback_overdue: ["Telepon balik terlambat", "A call-back is overdue"],
    trunk_down: ["Jalur operator seluler terputus", "A trunk is down"],
    fallback_in_use: ["Penelepon menunggu di jalur cadangan", "Callers wait in the fallback"],
    journal_unwritable: ["Jurnal tidak dapat ditulis", "The journal cannot be written"],
    journal_elsewhere: ["Jurnal ditulis di tempat cadangan", "The journal is written elsewhere"],
    journal_damaged: ["Berkas jurnal rusak atau hilang", "A journal file was damaged or gone"],
    journal_entries_lost: ["Entri jurnal hilang", "Journal entries were lost"],
    database_away: ["Basis data tidak menjawab", "The database is away"],
    database_behind: ["Basis data tertinggal", "The database is behind"],
    record_refused: ["Basis data menolak sebuah entri", "The database refused an entry"],
    recordings_unwritable: ["Rekaman tidak dapat disimpan", "Recordings cannot be written"],
    recording_missing: ["Rekaman panggilan tidak ada", "A call's recording is missing"],
    disk_low: ["Ruang disk hampir habis", "A disk is nearly full"],
    stalled: ["Mesin sempat berhenti", "The engine stood still"],
    late_claim: ["Panggilan terlambat diterima mesin", "Calls were claimed too late"],
    no_heartbeat: ["Tanda hidup mesin tidak dapat ditulis", "The engine cannot show that it lives"],
    ari_away: ["Mesin terputus dari Asterisk", "The engine has no connection with Asterisk"],
    ari_impaired: ["Asterisk lambat atau sebagian tidak menjawab", "Asterisk is slow or answers only in part"],
    engine_died: ["Mesin mati mendadak dan dijalankan lagi", "The engine died and was started again"],
    worker_away: ["Proses pencatat tidak berjalan", "The worker process is away"],
    watchdog_away: ["Proses penjaga tidak berjalan", "The watchdog process is away"],
    centre_unreadable: ["Dokumen pusat salah", "The centre document is wrong"],
    clock_jumped: ["Jam komputer diubah", "The machine's clock was set"],
    started_empty: ["Mesin mulai dari kosong", "The engine started empty"],
    prompts_missing: ["Berkas suara hilang atau rusak", "Prompts are missing or damaged"],
  },
  classification: {
    normal: ["Benar", "Genuine"], ghost: ["Hening", "Silent"], prank: ["Iseng", "Prank"],
    informasi: ["Informasi", "Information"],
  },
  outcome: {
    reached: ["Terhubung", "Reached"], redialled: ["Menelepon lagi", "Called again"],
    not_reached: ["Tidak terhubung", "Not reached"], not_needed: ["Tidak perlu", "Not needed"],
  },
  brought: {
    medical: ["Ambulans", "Ambulance"], agency: ["Instansi", "Agency"], number: ["Nomor luar", "Outside number"],
    colleague: ["Rekan", "Colleague"],
  },
  pause: {
    pause: ["Tanpa alasan", "No reason given"], no_answer: ["Tidak mengangkat", "Did not pick up"],
  },
  problem: {
    "wrong-credentials": ["Nama masuk atau kata sandi salah", "Login or password is wrong"],
    "slow-down": ["Terlalu banyak percobaan, tunggu sebentar", "Too many attempts, wait a little"],
    "engine-away": ["Mesin tidak terhubung", "Engine not connected"],
    "database-away": ["Basis data tidak menjawab; panggilan tetap berjalan", "The database does not answer; calls go on"],
    "access-not-recorded": ["Akses tidak dapat dicatat, coba lagi", "The access could not be recorded, try again"],
    "call-still-runs": ["Panggilan masih berlangsung", "The call still runs"],
    "not-permitted": ["Tidak diizinkan", "Not permitted"],
    "not-found": ["Tidak ditemukan", "Not found"],
    "not-valid": ["Isian tidak lengkap atau salah", "Something is missing or wrong"],
    unreachable: ["Server tidak dapat dihubungi", "The server cannot be reached"],
  },
};

/** The words for a value; a value that has none is shown as it is. */
export function words(kind, value) {
  return WORDS[kind]?.[value] ?? [String(value ?? "–").replaceAll("_", " ")];
}

/** What to say about an error of `api.js`. */
export function problemWords(error) {
  return error.titles ?? WORDS.problem[error.kind] ?? [error.message];
}

/** Why somebody is paused: one of the centre's reasons, or what the centre did itself. */
export function pauseWords(reasons, name) {
  const reason = reasons.find((each) => each.name === name);
  return reason ? [reason.label_id, reason.label_en] : words("pause", name);
}

/** The audio's track; a call may have several consultations. */
export function trackWords(name) {
  const [, number] = /^consult-(\d+)$/.exec(name) ?? [];
  return number ? [`Konsultasi ${number}`, `Consultation ${number}`] : words("track", name);
}

/** Who calls. */
export function callerWords(caller) {
  if (caller.hidden) return ["Disembunyikan", "Hidden"];
  return caller.number ? [caller.number] : ["Tidak dikenal", "Unknown"];
}
