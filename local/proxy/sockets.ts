import type { Socket } from "node:net";

/** Calls back once the socket has closed, also when that is already so. */
export function onClosed(socket: Socket, callback: () => void): void {
  if (socket.closed) callback();
  else socket.once("close", callback);
}

/** Settles once the socket has closed. */
export const closed = (socket: Socket): Promise<void> => new Promise((resolve) => onClosed(socket, resolve));

/** Ends a socket after what is still to be written, and destroys it when that takes longer than the limit. */
export function endWithin(socket: Socket, limitMs: number): void {
  if (socket.closed) return;
  socket.end();
  // What still arrives is of no use, but unread it would keep the end of the stream from being noticed.
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), limitMs);
  socket.once("close", () => clearTimeout(timer));
}
