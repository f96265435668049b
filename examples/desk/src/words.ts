// How values of the API are said on the page.

/** `FIRST_RESPONSE` is said as "First response". */
export function said(name: string): string {
  const text = name.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Options of an enum. */
export function optionsOf(names: readonly string[]) {
  return names.map((value) => ({ value, text: said(value) }));
}

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function when(at: string): string {
  return WHEN.format(new Date(at));
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86_400], ["hour", 3_600], ["minute", 60]];
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "always" });

/** "in 3 hours", "2 days ago". */
export function relative(at: string, now = Date.now()): string {
  const seconds = (Date.parse(at) - now) / 1_000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
  return RELATIVE.format(Math.trunc(seconds / length), unit);
}
