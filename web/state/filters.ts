/** What the filters are set to; "" where they let everything through. */
export interface Filters {
  /** Dates, 2020-06-01. */
  readonly from: string;
  readonly to: string;
  readonly camera: string;
  readonly format: string;
  /** The longer side, px. */
  readonly side: string;
  readonly folder: string;
  /** A condition in the index's own words. */
  readonly where: string;
}

export const noFilters: Filters = {
  from: "",
  to: "",
  camera: "",
  format: "",
  side: "",
  folder: "",
  where: "",
};

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`;

/** A picture's date is when it was taken, and where no camera says so, the file's. */
const dated = (comparison: string): string =>
  `(taken ${comparison} or not exists taken and modified ${comparison})`;

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}

const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** The condition that the server reads; undefined when everything is let through. */
export function toCondition(filters: Filters): string | undefined {
  const { from, to, camera, format, side, folder, where } = filters;
  const conditions = [
    isDay(from) && dated(`>= ${from}`),
    isDay(to) && dated(`< ${dayAfter(to)}`),
    camera !== "" && `camera contains ${quoted(camera)}`,
    format !== "" && `format = ${quoted(format)}`,
    /^\d+$/.test(side) && `(width >= ${side} or height >= ${side})`,
    folder !== "" && `path starts ${quoted(folder)}`,
    where.trim() !== "" && `(${where})`,
  ].filter((condition) => condition !== false);
  return conditions.length === 0 ? undefined : conditions.join(" and ");
}

export const countFilters = (filters: Filters): number =>
  Object.values(filters).filter((value) => value !== "").length;
