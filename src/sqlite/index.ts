export class Index {
  first(_high1: number, _low1: number, _high2: number, _low2: number): number {
    throw new Error('not built yet');
  }
  all(_high1: number, _low1: number, _high2: number, _low2: number, _into: number[]): void {}
}
