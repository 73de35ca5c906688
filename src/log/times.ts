// Times as the reference writes them into its logs (client.md §10.2).

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** MM-DD-YYYY hh:mm:ss TZ */
export function localTime(time: Date): string {
  const date = `${two(time.getMonth() + 1)}-${two(time.getDate())}-${time.getFullYear()}`;
  return `${date} ${clock(time)} ${zone(time)}`;
}

/** As ctime(3) has it: Tue Nov  3 20:39:49 2026 */
export function ctime(time: Date): string {
  const day = String(time.getDate()).padStart(2, ' ');
  return `${DAYS[time.getDay()]} ${MONTHS[time.getMonth()]} ${day} ${clock(time)} ${time.getFullYear()}`;
}

function clock(time: Date): string {
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** UTC, or the distance from it: asking for the zone's name costs more than a whole start. */
function zone(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
