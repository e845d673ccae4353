const fault = document.querySelector('#fault');

/**
 * Calls the app's API with an optional JSON (or File) body. A failure is shown to the reader, and gives undefined; an
 * answer without content gives null.
 */
export async function call(method, path, body) {
  try {
    const response = await fetch(path, { method, ...encode(body) });
    const answer = response.status === 204 ? null : await response.json();
    if (!response.ok) throw new Error(describe(answer));
    fault.hidden = true;
    return answer;
  } catch (error) {
    fault.textContent = error.message;
    fault.hidden = false;
    return undefined;
  }
}

function encode(body) {
  if (body === undefined) return {};
  if (body instanceof Blob) return { body };
  return { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
}

function describe({ message, details = [] }) {
  return [message, ...details.map((detail) => `${detail.path} ${detail.message}`)].join(': ');
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/** 1234567 -> "1.2 MB", as the reader's language writes it. */
export function formatSize(bytes) {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const style = { style: 'unit', unit: UNITS[power], unitDisplay: 'narrow', maximumFractionDigits: 1 };
  return new Intl.NumberFormat(undefined, style).format(bytes / 1000 ** power);
}
