package s3lister;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import s3lister.Buckets.Bucket;

/**
 * The page for people.
 *
 * @param unready why; null when ready.
 * @param time of the page: it stands still.
 */
record Page(Settings settings, Status.Snapshot now, Status.Unreadiness unready, Instant time) {
  private static final String STYLE = style();
  private static final DateTimeFormatter MOMENT =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss 'UTC'").withZone(ZoneOffset.UTC);

  String html() {
    String title = unready == null ? now.buckets().size() + " buckets" : "Not ready";
    return """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>%s · S3 lister</title>
        <link rel="icon" href="data:,">
        <style>
        %s</style>
        </head>
        <body>
        <main>
        <h1>S3 lister</h1>
        %s
        <h2>Who asks</h2>
        <dl>
        %s</dl>
        %s<h2>Buckets</h2>
        %s</main>
        </body>
        </html>
        """
        .formatted(text(title), STYLE, state(), identity() + role() + token(), error(), buckets());
  }

  private String state() {
    if (unready != null) {
      // The error has a part of its own.
      return "<p class=\"bad\">Not ready at %s: %s.</p>".formatted(moment(time), text(unready.reason()));
    }
    return now.error().isEmpty()
        ? "<p class=\"good\">Ready at %s: the last listing has succeeded.</p>".formatted(moment(time))
        : "<p class=\"good\">Ready at %s, although the last listing failed.</p>".formatted(moment(time));
  }

  private String identity() {
    if (now.identity().isEmpty()) return row("Identity", "not known");
    String hint =
        settings.roleArn().isEmpty() || isSessionOf(now.identity(), settings.roleArn())
            ? ""
            : " <span class=\"bad\">Not a session of the role below: other credentials came first.</span>";
    return row("Identity", code(now.identity()) + hint);
  }

  private String role() {
    return row("Role", settings.roleArn().isEmpty() ? "none: AWS_ROLE_ARN is not set" : code(settings.roleArn()));
  }

  private String token() {
    Token token;
    try {
      token = Token.read(settings.tokenFile());
    } catch (IOException problem) {
      return row("Token", "<span class=\"bad\">%s</span>".formatted(text(problem.getMessage())));
    }
    if (token == null) return row("Token", "none: AWS_WEB_IDENTITY_TOKEN_FILE is not set");
    return row("Token subject", code(token.subject()))
        + row("Token audience", code(String.join(", ", token.audience())))
        + row("Token issuer", code(token.issuer()))
        + row("Token expires", expiry(token.expires()));
  }

  private String expiry(Instant expires) {
    if (expires == null) return "not said";
    return moment(expires) + (expires.isAfter(time) ? "" : " <span class=\"bad\">(has expired)</span>");
  }

  private String error() {
    return now.error().isEmpty()
        ? ""
        : "<h2>Last error</h2>\n<p>%s: %s</p>\n".formatted(moment(now.failedAt()), text(now.error()));
  }

  private String buckets() {
    if (now.listedAt() == null) return "<p>Not listed yet.</p>\n";
    String outdated =
        unready == null && now.error().isEmpty()
            ? ""
            : " That was the last listing that succeeded: what is there now is not known.";
    String summary =
        "<p>%d as of %s, also as <a href=\"buckets\">JSON</a>.%s</p>\n"
            .formatted(now.buckets().size(), moment(now.listedAt()), outdated);
    if (now.buckets().isEmpty()) return summary;
    StringBuilder rows = new StringBuilder();
    for (Bucket bucket : now.buckets()) {
      rows.append("<tr><td>%s</td><td>%s</td></tr>\n".formatted(code(bucket.name()), moment(bucket.created())));
    }
    return """
        %s<table>
        <thead><tr><th scope="col">Name</th><th scope="col">Created</th></tr></thead>
        <tbody>
        %s</tbody>
        </table>
        """
        .formatted(summary, rows);
  }

  private static String row(String term, String description) {
    return "<dt>%s</dt><dd>%s</dd>\n".formatted(term, description);
  }

  private static String code(String value) {
    return "<code>%s</code>".formatted(text(value));
  }

  private static String moment(Instant time) {
    return "<time datetime=\"%s\">%s</time>".formatted(time.truncatedTo(ChronoUnit.SECONDS), MOMENT.format(time));
  }

  /** A text as the content of an element or of a quoted attribute. */
  private static String text(String value) {
    return value
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&#34;")
        .replace("'", "&#39;");
  }

  /**
   * Whether {@code arn:<partition>:sts::<account>:assumed-role/<name>/<session>} is a session of the role {@code
   * arn:<partition>:iam::<account>:role/<path/><name>}.
   */
  static boolean isSessionOf(String identity, String role) {
    String[] i = identity.split(":", 6);
    String[] r = role.split(":", 6);
    if (i.length != 6 || r.length != 6 || !i[4].equals(r[4])) return false;
    String[] session = i[5].split("/");
    return session.length == 3
        && session[0].equals("assumed-role")
        && session[1].equals(r[5].substring(r[5].lastIndexOf('/') + 1));
  }

  private static String style() {
    try (InputStream css = Page.class.getResourceAsStream("page.css")) {
      return new String(css.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    }
  }
}
