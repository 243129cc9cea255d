;; (ft-local): a source run in one thread at a time, its results handed to many threads.
;; FT_LOCAL_GUILE is the path of the compiled part.

(define-module (ft-local)
  #:export (make-batch batch-load batch-close! batch-clear! batch-length batch-waits
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

(load-extension (or (getenv "FT_LOCAL_GUILE") "libguile-ft-local") "init_ft_local")
