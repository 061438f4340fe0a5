// What a series of measures says: its mean, how it rises, how far it spreads. As Supvisors' page has them.

export interface Summary {
  last: number;
  before: number; // the one before the last
  mean: number;
  slope: number; // of the straight line through it, for each period
  intercept: number;
  deviation: number; // standard deviation
}

export function summaryOf(values: number[]): Summary | null {
  const count = values.length;
  const last = values[count - 1];
  if (last === undefined) return null;
  let sum = 0;
  let weighted = 0;
  values.forEach((value, place) => {
    sum += value;
    weighted += value * place;
  });
  const mean = sum / count;
  const middle = (count - 1) / 2;
  const spread = (count * (count * count - 1)) / 12; // the sum of (place - middle)²
  const slope = count > 1 ? (weighted - count * middle * mean) / spread : 0;
  let squares = 0;
  for (const value of values) squares += (value - mean) ** 2;
  const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  return { last, before: values[count - 2] ?? last, mean, slope, intercept: mean - slope * middle, deviation };
}

// Measures come with seconds since the first one. On the clock, the last of them was made shortly before it was heard of first:
// so the least distance between both that was ever seen is the time of the first measure, to within the time between two questions.
export class Clock {
  private zero = Infinity;
  private last = -1;

  // The wall-clock times of these measures; `now`: when they came.
  times(measures: number[], now: number): number[] {
    const last = measures[measures.length - 1] ?? 0;
    if (last < this.last) this.zero = Infinity; // another run: it began anew
    this.last = last;
    this.zero = Math.min(this.zero, now - last);
    return this.place(measures);
  }

  // The same for others that began with them.
  place(measures: number[]): number[] {
    return measures.map((one) => one + this.zero);
  }
}
