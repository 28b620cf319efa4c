import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;

/** What a suite in Java needs of `crm testbed`: a fresh system for each test. */
class Testbed implements AutoCloseable {
  static final String BED = System.getenv().getOrDefault("CRM_TESTBED", "http://127.0.0.1:4280");
  static final HttpClient CLIENT = HttpClient.newHttpClient();
  static final ObjectMapper JSON = new ObjectMapper();

  final JsonNode shown = ask("POST", "/systems", Map.of());
  final String path = "/systems/" + shown.get("id").asText();

  /** Asks the testbed; IllegalStateException with what it says is wrong. */
  static JsonNode ask(String method, String path, Object body) {
    try {
      var sent = HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body));
      var request = HttpRequest.newBuilder(URI.create(BED + path)).method(method, sent).build();
      var answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
      var found = JSON.readTree(answer.body());
      if (answer.statusCode() != 200) {
        throw new IllegalStateException(answer.statusCode() + ": " + found.get("detail").asText());
      }
      return found;
    } catch (java.io.IOException | InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }

  JsonNode get(String more) {
    return ask("GET", path + more, Map.of());
  }

  JsonNode post(String more, Object body) {
    return ask("POST", path + more, body);
  }

  /** Has a country report the contract's example with other fields, and says what became of it. */
  JsonNode tell(String country, String name, Map<String, ?> fields) {
    return post("/reports", Map.of("country", country, "name", name, "fields", fields));
  }

  JsonNode mailbox(String country, String name) {
    return get("/mailbox/" + country + "?name=" + name);
  }

  JsonNode log(String service, String name) {
    return get("/log/" + service + "?name=" + name);
  }

  void advance(String span) {
    post("/clock", Map.of("advance", span));
  }

  void settled() {
    post("/settled", Map.of());
  }

  @Override
  public void close() {
    ask("DELETE", path, Map.of());
  }
}
