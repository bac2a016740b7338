// What a page needs of the event stream: { rooms: their ids, or null for all of them; audit: whether the record as well }.

/** Where a stream of that is. */
export function address({ rooms, audit }) {
  const narrowed = [...(rooms === null ? [] : [`rooms=${rooms.join(",")}`]), ...(audit ? ["audit"] : [])];
  return ["/api/v1/events", narrowed.join("&")].filter(Boolean).join("?");
}

/** Whether a stream of the one serves a page that needs the other. */
export function covers(one, other) {
  const rooms = one.rooms === null || (other.rooms !== null && other.rooms.every((room) => one.rooms.includes(room)));
  return rooms && (one.audit || !other.audit);
}

/** What serves all of them. */
export function union(all) {
  const rooms = all.some((one) => one.rooms === null) ? null : [...new Set(all.flatMap((one) => one.rooms))].sort();
  return { rooms, audit: all.some((one) => one.audit) };
}
