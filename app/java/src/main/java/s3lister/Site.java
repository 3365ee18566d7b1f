package s3lister;

import com.fasterxml.jackson.jr.ob.JSON;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the lister serves over HTTP. */
final class Site implements HttpHandler {
  private final Settings settings;
  private final Status status;
  private final Metrics metrics;
  private final Log log;

  Site(Settings settings, Status status, Metrics metrics, Log log) {
    this.settings = settings;
    this.status = status;
    this.metrics = metrics;
    this.log = log;
  }

  @Override
  public void handle(HttpExchange exchange) {
    try (exchange) {
      answer(exchange);
    } catch (IOException away) {
      log.write("DEBUG", "a client went away", "error", String.valueOf(away.getMessage()));
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    String method = exchange.getRequestMethod();
    if (!method.equals("GET") && !method.equals("HEAD")) {
      exchange.getResponseHeaders().set("Allow", "GET, HEAD");
      send(exchange, 405, "text/plain; charset=utf-8", "Method Not Allowed\n");
      return;
    }
    switch (exchange.getRequestURI().getPath()) {
      case "/" -> page(exchange);
      case "/buckets" -> buckets(exchange);
      // As long as the process can answer: what AWS does is no reason to restart a pod.
      case "/healthz" -> send(exchange, 200, "text/plain; charset=utf-8", "ok\n");
      case "/readyz" -> {
        Status.Unreadiness unready = status.unready(Instant.now());
        send(exchange, unready == null ? 200 : 503, "text/plain; charset=utf-8", (unready == null ? "ok" : unready) + "\n");
      }
      case "/metrics" -> send(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", metrics.text());
      default -> send(exchange, 404, "text/plain; charset=utf-8", "404 page not found\n");
    }
  }

  /** The last successful listing, whatever came after it; 503 before the first. */
  private void buckets(HttpExchange exchange) throws IOException {
    Status.Snapshot now = status.snapshot();
    Map<String, Object> body = new LinkedHashMap<>();
    if (now.listedAt() == null) {
      body.put("error", String.valueOf(status.unready(Instant.now())));
    } else {
      body.put(
          "buckets",
          now.buckets().stream()
              .map(bucket -> Map.of("name", bucket.name(), "created", bucket.created().toString()))
              .toList());
      body.put("listedAt", now.listedAt().toString());
      body.put("identity", now.identity());
    }
    send(exchange, now.listedAt() == null ? 503 : 200, "application/json", JSON.std.asString(body) + "\n");
  }

  /** All of it, for a person. */
  private void page(HttpExchange exchange) throws IOException {
    exchange
        .getResponseHeaders()
        .set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:");
    Instant now = Instant.now();
    String html = new Page(settings, status.snapshot(), status.unready(now), now).html();
    send(exchange, 200, "text/html; charset=utf-8", html);
  }

  private static void send(HttpExchange exchange, int code, String type, String body) throws IOException {
    send(exchange, code, type, body.getBytes(StandardCharsets.UTF_8));
  }

  private static void send(HttpExchange exchange, int code, String type, byte[] body) throws IOException {
    var headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Cache-Control", "no-store");
    headers.set("X-Content-Type-Options", "nosniff");
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(code, head || body.length == 0 ? -1 : body.length);
    if (!head) exchange.getResponseBody().write(body);
  }
}
