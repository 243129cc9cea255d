;; Counters that balance over Guile's threads, and every way to leave a source.

(use-modules (ft-local) (ice-9 control) (ice-9 exceptions) (ice-9 format) (ice-9 rdelim) (ice-9 threads) (srfi srfi-1) (srfi srfi-41))

(define threads 4)
(define loads 25000)
(define tests 0)

(define-syntax-rule (check expression)
  (unless expression
    (format (current-error-port) "not true: ~s~%" 'expression)
    (primitive-exit 1)))

(define-syntax-rule (test name body ...)
  (begin
    (format #t "~a~%" name)
    (force-output)
    (check (zero? (protected-count)))
    (let () body ...)
    (check (zero? (protected-count)))
    (set! tests (1+ tests))))

;; What a call throws, as its message and arguments.
(define-syntax-rule (thrown body ...)
  (catch #t
    (lambda () body ... 'nothing)
    (lambda (key . args) (cons key args))))

(define (in-threads function)
  (for-each join-thread
            (map (lambda (index) (call-with-new-thread (lambda () (function index))))
                 (iota threads))))

(test "threads get each object once"
  (let* ((made 0)
         (seen (make-vector (* threads loads) 0))
         (batch (make-batch (lambda () (let ((object (list made))) (set! made (1+ made)) object))
                            64)))
    (in-threads
     (lambda (index)
       (do ((count 0 (1+ count))) ((= count loads))
         (let ((number (car (batch-load batch))))
           ;; No two threads get a number, so none meets another at its place.
           (vector-set! seen number (1+ (vector-ref seen number)))))))
    (check (every (lambda (times) (= times 1)) (vector->list seen)))
    (check (= made (+ (* threads loads) (batch-length batch))))
    (check (= (protected-count) (batch-length batch)))
    (batch-clear! batch)
    (check (zero? (batch-length batch)))))

(test "objects survive collections while they wait, and die afterwards"
  (let* ((dead (make-guardian))
         (batch (make-batch (lambda () (let ((object (string-copy "an object"))) (dead object) object))
                            1000)))
    (batch-load batch)
    (check (= (protected-count) 999))
    (gc) (gc)
    (check (string=? (batch-load batch) "an object"))
    (check (= (protected-count) 998))
    (batch-clear! batch)
    (gc) (gc)
    ;; A conservative collector may take a number on a stack for an address.
    (check (> (let count ((found 0)) (if (dead) (count (1+ found)) found)) 900))))

(test "what a source throws comes out of its load, and costs nothing"
  (let* ((calls 0)
         (batch (make-batch (lambda ()
                              (set! calls (1+ calls))
                              (if (zero? (modulo calls 3)) (throw 'every-third calls) calls))
                            4)))
    (let loop ((left 90) (results '()) (failures 0))
      (if (positive? left)
          (let ((result (catch 'every-third (lambda () (batch-load batch)) list)))
            (if (pair? result)
                (begin (check (= (cadr result) calls)) (loop (1- left) results (1+ failures)))
                (loop (1- left) (cons result results) failures)))
          (begin
            (check (> failures 20))
            (check (equal? (reverse results)
                           (take (filter (lambda (n) (positive? (modulo n 3))) (iota 200 1))
                                 (length results)))))))
    (batch-clear! batch)))

(test "a source cannot leave by a continuation, and the batch remains usable"
  (let* ((escape #f)
         (batch (make-batch (lambda () (when escape (escape 'escaped)) 'stayed) 2)))
    (define (load-escaping)
      (thrown (let/ec leave
                (set! escape leave)
                (batch-load batch))))
    (let ((refused (load-escaping)))
      (check (eq? (car refused) 'misc-error))
      (check (string-contains (format #f "~a" refused) "continuation")))
    (set! escape #f)
    (check (eq? (batch-load batch) 'stayed))
    (batch-clear! batch)))

(test "a continuation that was captured in a source cannot be entered again"
  (let* ((captured #f)
         (batch (make-batch (lambda () (call/cc (lambda (k) (set! captured k))) 7) 2)))
    (check (= (batch-load batch) 7))
    (check (string-contains (format #f "~a" (thrown (captured 1))) "barrier"))
    (check (= (batch-load batch) 7))
    (check (= (batch-load batch) 7))
    (batch-clear! batch)))

(test "what a source raises comes out unchanged, whatever it is"
  (let ((condition (make-exception (make-error) (make-exception-with-message "busy"))))
    (for-each
     (lambda (raised)
       (let ((batch (make-batch (lambda () (raise-exception raised)) 2)))
         (check (eq? raised (with-exception-handler identity (lambda () (batch-load batch))
                              #:unwind? #t)))))
     (list 42 'symbol condition)))
  (let ((batch (make-batch (lambda () (exit 3)) 2)))
    (check (equal? (thrown (batch-load batch)) '(quit 3)))))

(test "a source that loads from its own batch gets an error"
  (letrec ((batch (make-batch (lambda () (batch-load batch)) 2)))
    (check (string-contains (format #f "~a" (thrown (batch-load batch)))
                            "already running the source"))))

(test "a source may use another batch, whose error is its own"
  (let* ((inner (make-batch (lambda () (throw 'inner)) 2))
         (outer (make-batch (lambda () (catch 'inner (lambda () (batch-load inner)) list)) 2)))
    (check (equal? (batch-load outer) '(inner)))
    (batch-clear! outer)))

;; Two threads, of which the second waits for the first one's source.
(define (play second)
  (let* ((mutex (make-mutex))
         (changed (make-condition-variable))
         (state 'new))
    (define (set-state! value)
      (with-mutex mutex (set! state value) (broadcast-condition-variable changed)))
    (define (wait-for value)
      (with-mutex mutex
        (let loop () (unless (eq? state value) (wait-condition-variable changed mutex) (loop)))))
    (let* ((batch (make-batch (lambda ()
                                (when (eq? state 'new) (set-state! 'runs) (wait-for 'go-on))
                                state)
                              2))
           (first (call-with-new-thread (lambda () (batch-load batch)))))
      (wait-for 'runs)
      (second batch (lambda () (set-state! 'go-on)))
      (check (eq? (join-thread first) 'go-on))
      (batch-clear! batch))))

(define (wait-until-one-waits batch)
  (while (zero? (batch-waits batch)) (yield)))

(test "a thread that waits gets what another makes, and collections go on meanwhile"
  (play (lambda (batch go-on)
          (let ((waiter (call-with-new-thread (lambda () (batch-load batch)))))
            (wait-until-one-waits batch)
            (gc)
            (go-on)
            (check (eq? (join-thread waiter) 'go-on))))))

(test "a signal's handler runs in a thread that waits, and may throw"
  (play (lambda (batch go-on)
          (sigaction SIGUSR1 (lambda (signal) (throw 'signalled signal)) 0 (current-thread))
          (call-with-new-thread
           (lambda () (wait-until-one-waits batch) (kill (getpid) SIGUSR1)))
          (check (equal? (thrown (batch-load batch)) (list 'signalled SIGUSR1)))
          (sigaction SIGUSR1 SIG_DFL)
          (go-on))))

(test "a signal's handler may leave a thread that waits by a continuation"
  (play (lambda (batch go-on)
          (let ((main (current-thread)))
            (check (eq? 'left
                        (let/ec leave
                          (call-with-new-thread
                           (lambda ()
                             (wait-until-one-waits batch)
                             (system-async-mark (lambda () (leave 'left)) main)))
                          (batch-load batch)))))
          (go-on))))

(test "an async that leaves at any moment of a load does not break the batch"
  (let* ((main (current-thread))
         (escape #f)
         (ran 0)
         (done #f)
         (batch (make-batch list 1))
         (sender (call-with-new-thread
                  (lambda ()
                    (while (not done)
                      (let ((before ran))
                        (system-async-mark
                         (lambda ()
                           (set! ran (1+ ran))
                           (let ((once escape))
                             (set! escape #f)
                             (when once (once 'left))))
                         main)
                        (while (and (= ran before) (not done)) (yield))))))))
    ;; What is refused is an error of the load; what is not leaves it.
    (while (< ran 2000)
      (let/ec leave
        (set! escape leave)
        (thrown (batch-load batch))
        (set! escape #f)))
    (set! done #t)
    (join-thread sender)
    (check (equal? (batch-load batch) '()))
    (batch-clear! batch)))

(test "a thread that waits, or runs the source, can be cancelled"
  (play (lambda (batch go-on)
          (let ((waiter (call-with-new-thread (lambda () (batch-load batch)))))
            (wait-until-one-waits batch)
            (cancel-thread waiter 'cancelled)
            (check (eq? (join-thread waiter) 'cancelled)))
          (go-on)))
  (let* ((batch (make-batch (lambda () (cancel-thread (current-thread)) (let loop () (loop))) 2))
         (filler (call-with-new-thread (lambda () (thrown (batch-load batch))))))
    (check (string-contains (format #f "~a" (join-thread filler)) "continuation")))
  (let* ((runs #t) (batch (make-batch (lambda () (when runs (set! runs #f) (throw 'once)) 1) 2)))
    (check (equal? (join-thread (call-with-new-thread (lambda () (thrown (batch-load batch)))))
                   '(once)))
    (check (= (batch-load batch) 1))
    (batch-clear! batch)))

(test "closing a batch wakes a thread that waits, which does not run the source"
  (let ((waiter #f))
    (play (lambda (batch go-on)
            (set! waiter (call-with-new-thread (lambda () (thrown (batch-load batch)))))
            (wait-until-one-waits batch)
            (batch-close! batch)
            (check (string-contains (format #f "~a" (join-thread waiter)) "closed"))
            (check (string-contains (format #f "~a" (thrown (batch-load batch))) "closed"))
            (go-on)))))

(define (counting-to last)
  (let ((made 0))
    (lambda ()
      (if (= made last) the-end (begin (set! made (1+ made)) made)))))

(define the-end (with-input-from-string "" read-char))

(test "a source ends with the end-of-file object, and so do loops and streams"
  (let ((batch (make-batch (counting-to 6) 4)) (sum 0))
    (check (= (batch-load batch) 1))
    (check (equal? (stream->list 2 (batch->stream batch)) '(2 3)))
    (batch-for-each (lambda (number) (set! sum (+ sum number))) batch)
    (check (= sum (+ 4 5 6)))
    (check (eof-object? (batch-load batch)))
    (check (stream-null? (batch->stream batch)))))

(test "threads share what there is until the end"
  (let ((batch (make-batch (counting-to 1000) 16)) (seen (make-vector 1001 0)))
    (in-threads
     (lambda (index)
       (batch-for-each
        (lambda (number) (vector-set! seen number (1+ (vector-ref seen number)))) batch)))
    (check (equal? (vector->list seen) (cons 0 (make-list 1000 1))))))

(test "a load waits no longer than it is told"
  (let* ((inside #f) (go-on #f)
         (batch (make-batch (lambda () (set! inside #t) (let loop () (unless go-on (yield) (loop))) 5) 1))
         (filler (call-with-new-thread (lambda () (batch-load batch)))))
    (let loop () (unless inside (yield) (loop)))
    (check (not (batch-load batch 0)))
    (check (eq? (batch-load batch 0 'none) 'none))
    (check (eq? (batch-load batch 0.001 'none) 'none))
    (set! go-on #t)
    (check (= (join-thread filler) 5))
    (check (= (batch-load batch 1000) 5))))

(define (resident)
  (gc) (gc)
  (* 4 (string->number (cadr (string-split (call-with-input-file "/proc/self/statm" read-line)
                                           #\space)))))

;; The finalizer has a thread of its own. If it never comes, the script ends the test.
(test "batches that nobody knows any more are freed, though their sources know them"
  (define (forget-some)
    (do ((count 0 (1+ count))) ((= count 10000))
      (letrec ((batch (make-batch (lambda () (and batch 1)) 250)))
        (batch-load batch)
        (batch-clear! batch))))
  (forget-some)
  (let ((before (resident)))
    (forget-some)
    ;; In KiB. If they stayed there would be 40,000 more.
    (let loop ()
      (unless (< (- (resident) before) 20000)
        (usleep 10000)
        (loop)))))

(test "bad arguments are refused"
  (check (eq? (car (thrown (make-batch 5 5))) 'wrong-type-arg))
  (check (eq? (car (thrown (make-batch list -1))) 'out-of-range))
  (check (eq? (car (thrown (make-batch list 1.5))) 'wrong-type-arg))
  (check (equal? (cadddr (thrown (make-batch list 0))) '(1 1073741824 0)))
  (check (eq? (car (thrown (batch-load 'no-batch))) 'wrong-type-arg))
  (check (eq? (car (thrown (batch-load (make-batch list 1) 'soon))) 'wrong-type-arg))
  (check (eq? (car (thrown (batch-load (make-batch list 1) -1))) 'out-of-range)))

(define (rate)
  (let* ((batch (make-batch list 1000)) (start (get-internal-real-time)))
    (in-threads (lambda (index) (do ((count 0 (1+ count))) ((= count loads)) (batch-load batch))))
    (/ (* threads loads 1.0) (/ (- (get-internal-real-time) start) internal-time-units-per-second))))

(format #t "~a tests, ~,2f M loads/s~%" tests (/ (rate) 1e6))
