// The controls of forms, each with its label, its hint and its mistake.
import type { ComponentChildren } from "preact";
import { useField } from "./form.tsx";

interface Field {
  name: string;
  label: string;
  hint?: string;
}

/** With `onInput`, `value` is what is shown; without it, what the field begins with. */
export function TextField({ name, label, hint, value = "", onInput }: Field & { value?: string; onInput?: (text: string) => void }) {
  const { id, attributes, notes } = useField(name, hint);
  const shown = onInput ? { value, onInput: (event: InputEvent) => onInput((event.target as HTMLInputElement).value) } : { defaultValue: value };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input type="text" autocomplete="off" {...attributes} {...shown} />
      {notes}
    </div>
  );
}

const ZONE = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A day and a time on the clock of this browser, as `2026-01-31T09:30`. The year has four digits. */
export function TimeField({ name, label }: Field) {
  const { id, attributes, notes } = useField(name, `On the clock of ${ZONE}.`);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input type="datetime-local" max="9999-12-31T23:59" {...attributes} />
      {notes}
    </div>
  );
}

export function TextArea({ name, label, hint, rows = 3, value }: Field & { rows?: number; value?: string }) {
  const { id, attributes, notes } = useField(name, hint);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <textarea rows={rows} defaultValue={value ?? ""} {...attributes} />
      {notes}
    </div>
  );
}

export interface Option {
  value: string;
  text: string;
  /** What the option is listed under. */
  group?: string;
}

/** `empty` is the text of choosing nothing; without it, the first option is chosen. */
export function Select({ name, label, hint, options, empty, value }: Field & { options: Option[]; empty?: string; value?: string }) {
  const { id, attributes, notes } = useField(name, hint);
  const groups = [...new Set(options.map(({ group }) => group))];
  const shown = (group: string | undefined): ComponentChildren =>
    options.filter((option) => option.group === group).map((option) => <option value={option.value} selected={option.value === value}>{option.text}</option>);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select {...attributes}>
        {empty !== undefined && <option value="">{empty}</option>}
        {groups.map((group) => (group === undefined ? shown(group) : <optgroup label={group}>{shown(group)}</optgroup>))}
      </select>
      {notes}
    </div>
  );
}

/** A few options, all of them in sight. */
export function Choice({ name, label, hint, options, value }: Field & { options: Option[]; value: string }) {
  const { id, mistake, notes } = useField(name, hint);
  return (
    <fieldset aria-describedby={mistake && `${id}-mistake`}>
      <legend>{label}</legend>
      {options.map((option) => (
        <label class="option" key={option.value}>
          <input type="radio" name={name} value={option.value} defaultChecked={option.value === value} /> {option.text}
        </label>
      ))}
      {notes}
    </fieldset>
  );
}
