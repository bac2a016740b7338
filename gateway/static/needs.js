// What a page needs of the event stream: { rooms: their ids, or null for all of them; sums: whether every room in sums, too;
// audit: whether the record as well }.

/** Where a stream of that is. */
export function address({ rooms, sums, audit }) {
  const narrowed = [...(rooms === null ? [] : [`rooms=${rooms.join(",")}`]), ...(sums ? ["sums"] : []), ...(audit ? ["audit"] : [])];
  return ["/api/v1/events", narrowed.join("&")].filter(Boolean).join("?");
}

/** Whether a stream of the one serves a page that needs the other. */
export function covers(one, other) {
  const rooms = one.rooms === null || (other.rooms !== null && other.rooms.every((room) => one.rooms.includes(room)));
  return rooms && (one.sums || !other.sums) && (one.audit || !other.audit);
}

/** What serves all of them. */
export function union(all) {
  const rooms = all.some((one) => one.rooms === null) ? null : [...new Set(all.flatMap((one) => one.rooms))].sort();
  return { rooms, sums: all.some((one) => one.sums), audit: all.some((one) => one.audit) };
}
