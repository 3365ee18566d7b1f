package s3lister;

import java.io.PrintStream;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;

/** The block that people and programs look for in the log. */
final class Buckets {
  private Buckets() {}

  /** One S3 bucket. */
  record Bucket(String name, Instant created) {}

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneOffset.UTC);

  /** Writes it in one write, so that no other line can come between. Times are UTC, as the lister in Go prints them. */
  static void print(PrintStream out, List<Bucket> buckets) {
    StringBuilder block = new StringBuilder("Buckets:\n");
    for (Bucket bucket : buckets) {
      block.append("* ").append(bucket.name()).append(" created on ").append(text(bucket.created())).append('\n');
    }
    out.print(block);
    out.flush();
  }

  private static String text(Instant time) {
    String fraction = time.getNano() == 0 ? "" : ".%09d".formatted(time.getNano()).replaceAll("0+$", "");
    return SECONDS.format(time) + fraction + " +0000 UTC";
  }
}
