import { BinaryReader } from "../../provider-host/index.ts";

// What BuildKit says while it builds: dockerd passes on its `moby.buildkit.v1.StatusResponse`, in base64. Of that message
// only the names of the steps and what they print are for people. Source: api/services/control/control.proto, BuildKit.

/** The lines of one such message. */
export function traceLines(trace: string, stepsSeen: Set<string>): string[] {
  const lines: string[] = [];
  eachField(Buffer.from(trace, "base64"), (field, reader) => {
    if (field === 1) lines.push(...stepLines(reader.readBytes(), stepsSeen));
    else if (field === 3) lines.push(...logLines(reader.readBytes()));
    else reader.skipField();
  });
  return lines;
}

/** A step, as it begins or is found in the cache; once, though it is told of again with each change. */
function stepLines(vertex: string | Uint8Array, stepsSeen: Set<string>): string[] {
  let [digest, name, cached, started] = ["", "", false, false];
  eachField(vertex, (field, reader) => {
    if (field === 1) digest = reader.readString();
    else if (field === 3) name = reader.readString();
    else if (field === 4) cached = reader.readBool();
    else {
      if (field === 5) started = true;
      reader.skipField();
    }
  });
  if ((!started && !cached) || stepsSeen.has(digest)) return [];
  stepsSeen.add(digest);
  return [cached ? `${name} (cached)` : name];
}

function logLines(log: string | Uint8Array): string[] {
  let text = "";
  eachField(log, (field, reader) => {
    if (field === 4) text = Buffer.from(reader.readBytes() as Uint8Array).toString();
    else reader.skipField();
  });
  return text.split("\n");
}

function eachField(
  message: string | Uint8Array,
  read: (field: number, reader: InstanceType<typeof BinaryReader>) => void,
): void {
  const reader = new BinaryReader(message as Uint8Array);
  while (reader.nextField() && !reader.isEndGroup()) read(reader.getFieldNumber(), reader);
}
