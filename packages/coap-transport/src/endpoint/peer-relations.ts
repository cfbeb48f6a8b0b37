import type { PeerState } from './peer';
import type { Relation } from './relation';

/**
 * The relations of one peer, newest first, as a list through the relations themselves: nearly all of tens of thousands of
 * observers have one, and no one more than TANDEM_COAP_MAX_OBSERVATIONS_PER_PEER.
 */
export function findRelation(peer: PeerState, tokenKey: string): Relation | undefined {
  let relation = peer.relations;
  while (relation !== undefined && relation.tokenKey !== tokenKey) relation = relation.nextOfPeer;
  return relation;
}

export function addRelation(relation: Relation): void {
  const { peer } = relation;
  relation.nextOfPeer = peer.relations;
  peer.relations = relation;
}

export function removeRelation(relation: Relation): void {
  const { peer } = relation;
  let previous: Relation | undefined;
  for (let at = peer.relations; at !== undefined; previous = at, at = at.nextOfPeer) {
    if (at !== relation) continue;
    if (previous === undefined) peer.relations = relation.nextOfPeer;
    else previous.nextOfPeer = relation.nextOfPeer;
    relation.nextOfPeer = undefined;
    return;
  }
}

/** As of now: what is closed meanwhile stays in it. */
export function relationsOf(peer: PeerState): Relation[] {
  const relations: Relation[] = [];
  for (let at = peer.relations; at !== undefined; at = at.nextOfPeer) relations.push(at);
  return relations;
}
