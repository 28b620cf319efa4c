import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.function.Function;

/** Reads samples into generated models and writes them again: a line of JSON in, a line out. */
public class Round {
  /** Times and dates as JSON has them, which Jackson itself leaves to a package that Debian has not. */
  public static class Times extends SimpleModule {
    public Times() {
      add(OffsetDateTime.class, OffsetDateTime::parse);
      add(LocalDate.class, LocalDate::parse);
    }

    private <T> void add(Class<T> kind, Function<String, T> parse) {
      addSerializer(kind, new JsonSerializer<T>() {
        @Override
        public void serialize(T value, JsonGenerator into, SerializerProvider all) throws IOException {
          into.writeString(value.toString());
        }
      });
      addDeserializer(kind, new JsonDeserializer<T>() {
        @Override
        public T deserialize(JsonParser from, DeserializationContext all) throws IOException {
          return parse.apply(from.getText());
        }
      });
    }
  }

  static final ObjectMapper MAPPER = new ObjectMapper().registerModule(new Times());

  static String written(String name, String sample) throws Exception {
    Class<?> kind = Class.forName(name);
    if (!name.endsWith(".Converter")) return MAPPER.writeValueAsString(MAPPER.readValue(sample, kind));
    Object model = kind.getMethod("fromJsonString", String.class).invoke(null, sample);
    Method write = kind.getMethod("toJsonString", model.getClass());
    return (String) write.invoke(null, model);
  }

  public static void main(String[] args) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode job = MAPPER.readTree(line);
      ObjectNode done = MAPPER.createObjectNode();
      try {
        done.set("written", MAPPER.readTree(written(job.get("class").asText(), job.get("sample").toString())));
      } catch (InvocationTargetException error) {
        done.put("error", error.getCause().toString());
      } catch (Exception error) {
        done.put("error", error.toString());
      }
      System.out.println(done);
    }
  }
}
