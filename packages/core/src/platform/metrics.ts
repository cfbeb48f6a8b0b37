/** What a part counts about itself. Names are Prometheus names; a name never carries an unbounded label. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge';
  read(): number;
}

/** Parts register their counters here; the gateway prints them on the metrics port. */
export class MetricsRegistry {
  readonly #gauges = new Map<string, Gauge>();

  counter(name: string, help: string): { add(n?: number): void; readonly value: number } {
    let value = 0;
    const counter = {
      add(n = 1) {
        value += n;
      },
      get value() {
        return value;
      },
    };
    this.register({ name, help, kind: 'counter', read: () => value });
    return counter;
  }

  gauge(name: string, help: string, read: () => number): void {
    this.register({ name, help, kind: 'gauge', read });
  }

  register(gauge: Gauge): void {
    if (this.#gauges.has(gauge.name)) throw new Error(`metric ${gauge.name} is registered twice`);
    this.#gauges.set(gauge.name, gauge);
  }

  list(): Gauge[] {
    return [...this.#gauges.values()];
  }
}
