import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Has a lister do what it does in a pod, so that the archive of its classes holds them all: it swaps a token at an STS and
 * lists buckets at an S3, both here and both over TLS, answers once on each path, and ends at SIGTERM.
 *
 * <p>{@code java Train.java <command that serves on a port of its choice>}; exits with 1 when the lister has not done that.
 */
final class Train {
  private static final String ROLE = "arn:aws:iam::111122223333:role/reader";
  private static final String SESSION = "arn:aws:sts::111122223333:assumed-role/reader/session";
  private static final String PASSWORD = "changeit"; // keytool asks for one; what it guards lives for seconds

  public static void main(String[] command) throws Exception {
    Path folder = Files.createTempDirectory("train");
    Path keys = folder.resolve("keys.p12");
    run(
        Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", "aws", "-keyalg", "EC",
        "-dname", "CN=localhost", "-ext", "san=dns:localhost", "-keystore", keys.toString(), "-storepass", PASSWORD);
    Path token = Files.writeString(folder.resolve("token"), token());
    HttpsServer aws = aws(keys);

    ProcessBuilder builder = new ProcessBuilder(command);
    var env = builder.environment();
    env.keySet().removeIf(name -> name.startsWith("AWS_") || name.toLowerCase().endsWith("_proxy"));
    env.put("AWS_REGION", "eu-central-1");
    env.put("AWS_ENDPOINT_URL", "https://localhost:" + aws.getAddress().getPort());
    env.put("AWS_ROLE_ARN", ROLE);
    env.put("AWS_WEB_IDENTITY_TOKEN_FILE", token.toString());
    env.put("JAVA_TOOL_OPTIONS", "-Djavax.net.ssl.trustStore=" + keys + " -Djavax.net.ssl.trustStorePassword=" + PASSWORD);
    Path log = folder.resolve("log");
    Process lister = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    try {
      find("\"listed the buckets\"", log, lister);
      String port = find("\"address\":\"[^\"]*:(\\d+)\"", log, lister).group(1);
      HttpClient client = HttpClient.newHttpClient();
      for (String path : List.of("/", "/buckets", "/healthz", "/readyz", "/metrics", "/none")) {
        client.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(), BodyHandlers.discarding());
      }
      lister.destroy();
      if (!lister.waitFor(2, TimeUnit.MINUTES) || lister.exitValue() != 0) throw failure("has not ended well", log);
    } finally {
      lister.destroyForcibly();
      aws.stop(0);
    }
  }

  private static void run(String... command) throws Exception {
    int code = new ProcessBuilder(command).inheritIO().start().waitFor();
    if (code != 0) throw new IOException(command[0] + " failed with exit code " + code);
  }

  private static Matcher find(String pattern, Path log, Process lister) throws Exception {
    Instant end = Instant.now().plus(Duration.ofMinutes(2));
    while (Instant.now().isBefore(end) && lister.isAlive()) {
      Matcher found = Pattern.compile(pattern).matcher(Files.readString(log));
      if (found.find()) return found;
      Thread.sleep(50);
    }
    throw failure("has not logged " + pattern, log);
  }

  private static IOException failure(String what, Path log) throws IOException {
    return new IOException("the lister " + what + ":\n" + Files.readString(log));
  }

  private static String token() {
    String claims = "{\"iss\":\"https://oidc\",\"sub\":\"system:serviceaccount:a:b\",\"aud\":[\"sts.amazonaws.com\"],\"exp\":4000000000}";
    return "e30." + Base64.getUrlEncoder().withoutPadding().encodeToString(claims.getBytes(StandardCharsets.UTF_8)) + ".x";
  }

  private static HttpsServer aws(Path keys) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (FileInputStream file = new FileInputStream(keys.toFile())) {
      store.load(file, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(store, PASSWORD.toCharArray());
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    HttpsServer server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(tls));
    server.createContext("/", Train::answer);
    server.start();
    return server;
  }

  private static void answer(HttpExchange exchange) throws IOException {
    String request = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    String body =
        request.contains("Action=AssumeRoleWithWebIdentity")
            ? sts(
                "AssumeRoleWithWebIdentity",
                "<Credentials><AccessKeyId>key</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
                    + "<SessionToken>session</SessionToken><Expiration>"
                    + Instant.now().plus(Duration.ofHours(1))
                    + "</Expiration></Credentials><AssumedRoleUser><Arn>"
                    + SESSION
                    + "</Arn><AssumedRoleId>A:session</AssumedRoleId></AssumedRoleUser>")
            : request.contains("Action=GetCallerIdentity")
                ? sts("GetCallerIdentity", "<Arn>" + SESSION + "</Arn><UserId>A:session</UserId><Account>111122223333</Account>")
                : "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>o</ID></Owner><Buckets>"
                    + "<Bucket><Name>alpha</Name><CreationDate>2026-11-24T09:29:37.861Z</CreationDate></Bucket>"
                    + "</Buckets></ListAllMyBucketsResult>";
    byte[] bytes = ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + body).getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/xml");
    exchange.getResponseHeaders().set("x-amz-request-id", "R1");
    exchange.sendResponseHeaders(200, bytes.length);
    try (exchange) {
      exchange.getResponseBody().write(bytes);
    }
  }

  private static String sts(String action, String result) {
    return "<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>%s</%sResult></%sResponse>"
        .formatted(action, action, result, action, action);
  }
}
