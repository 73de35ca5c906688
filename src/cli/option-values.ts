// Values of command line options, as texts and as what they mean.
/** Three sizes in bytes, or with the suffix K, M or G. */
export function parseChunkSizes(text: string): { min: number; average: number; max: number } {
  const factors: Readonly<Record<string, number>> = { '': 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };
  const match = /^(\d+)([kmg]?),(\d+)([kmg]?),(\d+)([kmg]?)$/i.exec(text);
  if (!match) throw new Error(`chunk sizes are three numbers such as 4M,8M,16M, not ${text}`);
  const size = (index: number) => Number(match[index]) * factors[match[index + 1]!.toLowerCase()]!;
  return { min: size(1), average: size(3), max: size(5) };
}

/** @throws Error unless the text is a number. */
export function numberOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`${text} is not a number`);
  return value;
}

/** @throws Error unless the file holds a JSON object. */
export async function readJson(file: string): Promise<Record<string, unknown>> {
  const { readFileSync } = await import('node:fs');
  const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${file} does not hold a JSON object`);
}
