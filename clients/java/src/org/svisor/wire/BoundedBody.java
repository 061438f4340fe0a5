package org.svisor.wire;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;

import org.svisor.ProtocolException;

/** The body of an answer, as long as it is no longer than it may be. */
public final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {
    private final int bytesMax;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private Flow.Subscription subscription;
    private boolean isCancelled;

    /** @param bytesMax how long it may be */
    public BoundedBody(int bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Nobody waits for it any more: the connection is closed rather than read to its end. */
    public synchronized void cancel() {
        isCancelled = true;
        if (subscription != null)
            subscription.cancel();
    }

    @Override
    public CompletionStage<byte[]> getBody() {
        return body;
    }

    @Override
    public synchronized void onSubscribe(Flow.Subscription given) {
        subscription = given;
        if (isCancelled)
            given.cancel();
        else
            given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
        for (ByteBuffer buffer : buffers) {
            if (body.isDone())
                return;
            if (buffer.remaining() > bytesMax - bytes.size()) {
                cancel();
                body.completeExceptionally(new ProtocolException("an answer of more than " + bytesMax + " bytes"));
                return;
            }
            byte[] piece = new byte[buffer.remaining()];
            buffer.get(piece);
            bytes.write(piece, 0, piece.length);
        }
    }

    @Override
    public void onError(Throwable failure) {
        body.completeExceptionally(failure);
    }

    @Override
    public void onComplete() {
        body.complete(bytes.toByteArray());
    }
}
