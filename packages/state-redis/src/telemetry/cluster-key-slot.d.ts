declare module 'cluster-key-slot' {
  /** The slot of a key in a Cluster. */
  function calculateSlot(key: string): number;
  export = calculateSlot;
}
