package s3lister;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import s3lister.Buckets.Bucket;

/** The parts that need no AWS. What the whole program does is in {@code test/listers}, for Go and Java alike. */
class ListerTest {
  private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");

  @ParameterizedTest
  @CsvSource({"60s,60000", "1m30s,90000", "500ms,500", "1.5s,1500", "2h,7200000", "0,0", "-1s,-1000"})
  void readsDurationsAsGoWritesThem(String text, long millis) {
    assertEquals(Duration.ofMillis(millis), Settings.duration(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "5", "5 s", "s", "5s5", "1d", "--1s"})
  void refusesWhatIsNoDuration(String text) {
    assertThrows(IllegalArgumentException.class, () -> Settings.duration(text));
  }

  @ParameterizedTest
  @CsvSource({"90,1m30s", "45,45s", "3700,1h1m40s"})
  void printsDurationsAsGoDoes(long seconds, String text) {
    assertEquals(text, Settings.text(Duration.ofSeconds(seconds)));
  }

  @Test
  void takesFlagsBeforeTheEnvironmentBeforeDefaults() {
    assertEquals(Duration.ofSeconds(60), Settings.parse(new String[0], Map.of()).interval());
    Map<String, String> env = Map.of("LIST_INTERVAL", "5m");
    assertEquals(Duration.ofMinutes(5), Settings.parse(new String[0], env).interval());
    assertEquals(Duration.ofSeconds(7), Settings.parse(new String[] {"-interval", "7s"}, env).interval());
    assertThrows(IllegalArgumentException.class, () -> Settings.parse(new String[] {"--listen"}, Map.of()));
  }

  @Test
  void printsTimesWithoutTheZerosThatGoLeavesOut() {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    List<Bucket> buckets =
        List.of(new Bucket("a", NOON), new Bucket("b", NOON.plusMillis(120)), new Bucket("c", NOON.plusNanos(1)));
    Buckets.print(new PrintStream(text), buckets);
    assertEquals(
        """
        Buckets:
        * a created on 2026-11-24 12:00:00 +0000 UTC
        * b created on 2026-11-24 12:00:00.12 +0000 UTC
        * c created on 2026-11-24 12:00:00.000000001 +0000 UTC
        """,
        text.toString(StandardCharsets.UTF_8));
  }

  @Test
  void readsWhatATokenSays() throws IOException {
    Token token = Token.parse(jwt("{\"iss\":\"i\",\"sub\":\"s\",\"aud\":\"one\",\"exp\":1795521600}") + "\n");
    assertEquals(new Token("i", "s", List.of("one"), Instant.ofEpochSecond(1795521600)), token);
    assertEquals(List.of("one", "two"), Token.parse(jwt("{\"aud\":[\"one\",\"two\"]}")).audience());
    assertNull(Token.parse(jwt("{}")).expires());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a.b", "a.b.c.d", "a.!.c", "a.ew.c"})
  void saysOfATokenThatItIsNone(String text) {
    IOException problem = assertThrows(IOException.class, () -> Token.parse(text));
    assertTrue(problem.getMessage().startsWith("not a JWT: "), problem.getMessage());
  }

  @Test
  void isReadyWhileTheLastListingsAreGoodAndFresh() {
    Status status = new Status(Duration.ofSeconds(10));
    assertEquals("the first listing is under way", String.valueOf(status.unready(NOON)));
    status.failed("Timeout: no answer in time", "", NOON);
    assertEquals("no listing has succeeded yet: Timeout: no answer in time", String.valueOf(status.unready(NOON)));
    status.listed(List.of(), "arn", NOON);
    assertNull(status.unready(NOON));
    assertEquals("the last successful listing is 11s old", String.valueOf(status.unready(NOON.plusSeconds(11))));
    for (int i = 1; i < Status.FAILURES_UNTIL_UNREADY; i++) status.failed("Error", "", NOON);
    assertNull(status.unready(NOON));
    status.failed("Error", "", NOON);
    assertEquals("the last 3 listings failed: Error", String.valueOf(status.unready(NOON)));
    status.listed(List.of(), "arn", NOON);
    status.stop();
    assertEquals("stopping", String.valueOf(status.unready(NOON)));
  }

  @Test
  void showsNothingAsMarkupThatIsNone() {
    Settings settings = Settings.parse(new String[0], Map.of("AWS_ROLE_ARN", "<script>"));
    Status.Snapshot now =
        new Status.Snapshot(List.of(new Bucket("<b>", NOON)), NOON, "\"'&", 1, "<img>", NOON);
    String html = new Page(settings, now, new Status.Unreadiness("<i>", ""), NOON).html();
    assertFalse(html.contains("<script>") || html.contains("<b>") || html.contains("<img>") || html.contains("<i>"));
    assertTrue(html.contains("&lt;script&gt;") && html.contains("&#34;&#39;&amp;"));
  }

  @Test
  void saysAnErrorOnceOnItsPage() {
    Status status = new Status(Duration.ofSeconds(10));
    status.failed("AccessDenied: no", "", NOON);
    String html = page(status, NOON);
    assertEquals(1, html.split("AccessDenied: no", -1).length - 1, html);
    assertTrue(html.contains("no listing has succeeded yet.</p>"), html);
  }

  @Test
  void saysOfWhenItsPageIs() {
    Status status = new Status(Duration.ofSeconds(10));
    status.listed(List.of(new Bucket("a", NOON)), "arn", NOON);
    String at = "<time datetime=\"2026-11-24T12:00:00Z\">2026-11-24 12:00:00 UTC</time>";
    String ready = page(status, NOON);
    assertTrue(ready.contains("Ready at " + at + ": the last listing has succeeded."), ready);
    assertTrue(ready.contains("<p>1 as of " + at + ", also as"), ready);
    assertFalse(ready.contains("is not known."), ready);
    String stale = page(status, NOON.plusSeconds(11));
    assertTrue(stale.contains("12:00:11 UTC</time>: the last successful listing is 11s old."), stale);
    assertTrue(stale.contains("what is there now is not known."), stale);
    status.failed("SlowDown: reduce", "arn", NOON);
    String failed = page(status, NOON);
    assertTrue(failed.contains("Ready at " + at + ", although the last listing failed."), failed);
    assertTrue(failed.contains("what is there now is not known."), failed);
  }

  private static String page(Status status, Instant at) {
    return new Page(Settings.parse(new String[0], Map.of()), status.snapshot(), status.unready(at), at).html();
  }

  @Test
  void tellsASessionOfTheRoleFromOthers() {
    String session = "arn:aws:sts::111122223333:assumed-role/reader/x";
    assertTrue(Page.isSessionOf(session, "arn:aws:iam::111122223333:role/team/reader"));
    assertFalse(Page.isSessionOf(session, "arn:aws:iam::111122223333:role/writer"));
    assertFalse(Page.isSessionOf(session, "arn:aws:iam::999999999999:role/reader"));
  }

  private static String jwt(String claims) {
    return "e30." + Base64.getUrlEncoder().withoutPadding().encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".x";
  }
}
