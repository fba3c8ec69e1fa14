package sample;

import com.google.gson.Gson;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** Answers with what it knows of its Java. */
public final class Hello {
    private Hello() {}

    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
        server.createContext("/", exchange -> {
            byte[] body = new Gson().toJson(facts()).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    private static Map<String, Object> facts() throws IOException {
        Map<String, Object> facts = new TreeMap<>();
        facts.put("says", "Hello from Maven");
        facts.put("java", Runtime.version().feature());
        facts.put("heap", Runtime.getRuntime().maxMemory() >> 20);
        facts.put("trusted", trusted());
        return facts;
    }

    private static int trusted() throws IOException {
        try {
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init((java.security.KeyStore) null);
            return ((X509TrustManager) factory.getTrustManagers()[0]).getAcceptedIssuers().length;
        } catch (java.security.GeneralSecurityException error) {
            throw new IOException(error);
        }
    }
}
