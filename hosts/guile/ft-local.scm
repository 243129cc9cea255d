;; (ft-local): a source run in one thread at a time, its results handed to many threads.
;; FT_LOCAL_GUILE is the path of the compiled part.

(define-module (ft-local)
  #:export (make-batch batch-load batch-clear! batch-length protected-count))

(load-extension (or (getenv "FT_LOCAL_GUILE") "libguile-ft-local") "init_ft_local")
