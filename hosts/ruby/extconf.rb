# frozen_string_literal: true

require "mkmf"

abort "ft_local is missing: pkg-config does not find it" unless pkg_config("ft_local")
append_cflags(%w[-Wall -Wextra -Werror -Wno-unused-parameter])
create_makefile("ft_local")
