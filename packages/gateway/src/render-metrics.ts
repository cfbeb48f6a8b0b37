import type { MetricsRegistry } from '@tandem/core';

/** The Prometheus text format, version 0.0.4. */
export function renderMetrics(metrics: MetricsRegistry): string {
  const described = new Set<string>();
  let text = '';
  for (const { name, help, kind, read } of metrics.list()) {
    const family = name.split('{')[0] ?? name;
    if (!described.has(family)) text += `# HELP ${family} ${help}\n# TYPE ${family} ${kind}\n`;
    described.add(family);
    text += `${name} ${read()}\n`;
  }
  return text;
}
