export class PageCache {
  constructor(_budget?: number) {}
}
