package s3lister;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Structured lines, one JSON object each, with the keys that the lister in Go writes. */
final class Log {
  private final PrintStream err;

  Log(PrintStream err) {
    this.err = err;
  }

  /** Writes a line. {@code details} are keys and values in turn. */
  void write(String level, String message, Object... details) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("time", Instant.now().toString());
    line.put("level", level);
    line.put("msg", message);
    for (int i = 0; i + 1 < details.length; i += 2) line.put(String.valueOf(details[i]), details[i + 1]);
    try {
      err.println(JSON.std.asString(line));
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    }
  }
}
