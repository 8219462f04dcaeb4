// Asks the API; every refusal becomes an ApiError with the problem's kind.

let token = "";
let onSignedOut = () => {};

export class ApiError extends Error {
  constructor(kind, problem) {
    super(problem.detail ?? problem.title ?? kind);
    this.kind = kind;
    this.status = problem.status;
    this.titles = problem.title_id ? [problem.title_id, problem.title] : undefined;
  }
}

/** Called when the session is over. */
export function whenSignedOut(callback) {
  onSignedOut = callback;
}

export async function ask(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET") headers["X-CSRF-Token"] = token;
  let response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(15000),
    });
  } catch {
    throw new ApiError("unreachable", {});
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) {
    if (path === "/session") token = answer.csrf;
    return answer;
  }
  const kind = String(answer.type ?? "").split(":").at(-1);
  if (kind === "not-signed-in") onSignedOut();
  throw new ApiError(kind, answer);
}
