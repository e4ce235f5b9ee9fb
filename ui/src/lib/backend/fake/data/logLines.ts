import type { LogLine, LogSource } from '../../types';
import { POD_A, POD_B } from './session';

export type Written = Omit<LogLine, 'number' | 'matches'>;

const PRODUCTS = ['tea', 'coffee', 'cocoa', 'mate'];

function line(time: number, source: LogSource, origin: string, text: string): Written {
  return { time, source, origin, text, cutFrom: null };
}

/** What orders writes: a line for each request; now and then what the others say. */
export function shopLine(number: number, time: number): Written {
  const pod = number % 2 === 0 ? POD_A : POD_B;
  const took = (1.2 + ((number * 7) % 83) / 10).toFixed(1);
  if (number % 29 === 11)
    return line(time, 'agent', pod, `incoming 8080 from 10.244.0.${20 + (number % 9)}`);
  if (number % 37 === 17)
    return line(
      time,
      'programErr',
      '',
      'WARNING catalogue took 1204 ms to answer; asking catalogue-1 instead',
    );
  if (number % 53 === 23)
    return line(
      time,
      'pod',
      `${pod}/proxy`,
      `outbound ok rtt=${took}ms peer=catalogue-${number % 2}`,
    );
  const product = PRODUCTS[number % PRODUCTS.length];
  const request =
    number % 4 === 0 ? 'POST /orders 201' : `GET /orders/${1000 + (number % 400)} 200`;
  return line(time, 'programOut', '', `${request} ${took} ms, ${product}, answered by harbour`);
}

/** How a session begins. */
export function opening(time: number): Written[] {
  return [
    line(time - 2300, 'towline', '', 'Connecting to deployment/orders in shop (sandbox)'),
    line(time - 460, 'agent', POD_A, 'towline-agent 0.1.0 serves session 4c19e7 on 127.0.0.1:4711'),
    line(time - 98, 'agent', POD_B, 'towline-agent 0.1.0 serves session 4c19e7 on 127.0.0.1:4711'),
    line(time, 'towline', '', 'Connected: 2 pods'),
    line(time + 49, 'towline', '', 'Starting python3 orders.py in /home/mara/src/orders'),
    line(
      time + 181,
      'programOut',
      '',
      "orders listens on port 3000, catalogue is ('127.0.0.1', 40001), redis is ('127.0.0.1', 40006)",
    ),
  ];
}

const TRACE = [
  'Traceback (most recent call last):',
  '  File "/home/mara/src/orders/orders.py", line 214, in serve',
  '    status, answer = method()',
  '  File "/home/mara/src/orders/orders.py", line 187, in post',
  '    return 201, place(request)',
  "KeyError: 'discount_percent'",
];

/** A quarter of an hour of the shop. */
export function shopLog(start: number, count: number): Written[] {
  const lines = opening(start);
  for (let number = 0; number < count; number++) {
    const time = start + 400 + number * 2017;
    lines.push(shopLine(number, time));
    if (number === count - 12)
      lines.push(...TRACE.map((text) => line(time + 3, 'programErr', '', text)));
  }
  return lines;
}

/** Lines that try the window: long, cut, binary, in other scripts and directions. */
export function hostileLog(start: number): Written[] {
  const out = (text: string, cutFrom: number | null = null): Written => ({
    ...line(start, 'programOut', '', text),
    cutFrom,
  });
  const record = (number: number) =>
    `{"id":${number},"product":"${PRODUCTS[number % 4]}","cents":${number * 125}},`;
  const long = Array.from({ length: 400 }, (_, number) => record(number))
    .join('')
    .slice(0, 10_000);
  return [
    out('The next line has 10,000 characters, the one after it had 1 MB.'),
    out(long),
    out(`${long.slice(0, 9_990)}needle-end`, 1_048_576),
    out('␀␁␂�␛[31mbinary�␇␈ output is shown as pictures'),
    out('הזמנה 1042 נשמרה בהצלחה (3.1 ms)'),
    out('تم حفظ الطلب رقم ١٠٤٢ في GET /orders/1042'),
    out('注文 1042 を保存しました — größer, žluťoučký, 🍵'),
    out('mixed: user ‏אבג‏ said "hello" at 12:00'),
    out('\tindented with tabs\tand columns\t| end'),
    out(''),
    out('   leading and trailing blanks stay   '),
    line(
      start,
      'pod',
      'a-workload-with-a-name-of-63-characters-as-long-as-it-may-ever-be/main',
      'from a long pod',
    ),
  ];
}
