import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** A bare server: it answers every request with a body that was made before. */
public final class Http {
  public static void main(String[] args) throws Exception {
    System.setProperty("sun.net.httpserver.nodelay", "true"); // else every answer takes 40 ms
    byte[] body = "x".repeat(Integer.parseInt(args[0])).getBytes();
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
          }
        });
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.start();
    System.out.println("* http://127.0.0.1:" + server.getAddress().getPort() + "/");
  }
}
