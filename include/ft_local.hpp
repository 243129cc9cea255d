// ft_local for C++17: handles that free themselves, sources that throw, objects of the language.
//
// Header-only, over ft_local.h, whose comments are the reference. Link what ft_local.h needs.
//
//   ft_local::batch<std::shared_ptr<session>> sessions(64, [] { return open_session(); });
//   std::shared_ptr<session> mine = sessions.load();   // in any thread
//
// What a source throws is thrown again, unchanged, by the `load` that ran the source. A function
// that is given a place for its result returns a status and throws nothing.

#ifndef FT_LOCAL_HPP
#define FT_LOCAL_HPP

#include "ft_local/batch.hpp"
#include "ft_local/coroutine.hpp"
#include "ft_local/cursor.hpp"
#include "ft_local/object.hpp"
#include "ft_local/results.hpp"
#include "ft_local/status.hpp"
#include "ft_local/wrapper.hpp"

#endif
