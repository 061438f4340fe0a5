package org.svisor.wire;

import java.net.ConnectException;
import java.net.http.WebSocketHandshakeException;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.CompletionException;

/** Why a connection failed, in words: the exceptions of java.net.http mostly have a class and no text. */
public final class Failures {
    private Failures() {
    }

    /**
     * @param failure what java.net.http has thrown
     * @return what it means
     */
    public static String inWords(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof UnresolvedAddressException)
                return "the name of the host is not known";
            if (cause instanceof WebSocketHandshakeException)
                return "HTTP status " + ((WebSocketHandshakeException) cause).getResponse().statusCode();
        }
        if (failure instanceof CompletionException && failure.getCause() != null)
            return inWords(failure.getCause());
        if (failure instanceof ConnectException && failure.getMessage() == null)
            return "no connection: nobody listens there, or it cannot be reached";
        return failure.toString();
    }
}
