;; (ft-local): a source run in one thread at a time, its results handed to many threads.
;; FT_LOCAL_GUILE is the path of the compiled part.

(define-module (ft-local)
  #:use-module (srfi srfi-41)
  #:export (make-batch batch-load batch-for-each batch->stream batch-close! batch-clear! batch-length batch-waits
            protected-count))

;; What the compiled part calls a source by. The exception is kept as it is, so that the load can
;; raise it unchanged. A continuation that was captured in the source would come back to the stack of
;; a load that is over; the barrier refuses it.
(define (call-guarded source)
  (with-continuation-barrier
   (lambda ()
     (with-exception-handler
         (lambda (exception) (cons #f exception))
       (lambda () (cons #t (source)))
       #:unwind? #t))))

(define (batch-for-each function batch)
  "Calls a function with each result until the source has ended. Other threads get others."
  (let loop ((result (batch-load batch)))
    (unless (eof-object? result)
      (function result)
      (loop (batch-load batch)))))

;; The results that this thread asks for, as a stream of SRFI 41, until the source has ended.
(define-stream (batch->stream batch)
  (let ((result (batch-load batch)))
    (if (eof-object? result)
        stream-null
        (stream-cons result (batch->stream batch)))))

(load-extension (or (getenv "FT_LOCAL_GUILE") "libguile-ft-local") "init_ft_local")
