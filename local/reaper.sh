# Reads what belongs to its parent from standard input, one line each, and removes it when the parent is gone: the
# kernel closes the pipe however the parent ends, kill -9 included.
#
#   process SIGNAL PID | group SIGNAL PGID | directory PATH     register
#   forget LINE                                                 take back: LINE is a line registered before
#
# The first argument is how many tenths of a second processes have to end by themselves.
# POSIX sh, because it must outlive Node and run on Linux and macOS alike.
limit=$1
shift
trap '' HUP INT QUIT TERM PIPE

# A process that init has not collected yet (state Z) still answers kill -0, but is gone.
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  if [ -r "/proc/$1/stat" ]; then
    IFS= read -r status <"/proc/$1/stat" 2>/dev/null || return 1
    status=${status##*) }
  else
    status=$(ps -o stat= -p "$1" 2>/dev/null) || return 1
  fi
  case $status in Z* | X*) return 1 ;; esac
}

pause() { sleep 0.1 2>/dev/null || sleep 1; }

while IFS= read -r line; do
  case $line in
    'process '* | 'group '* | 'directory '*) set -- "$@" "$line" ;;
    'forget '*)
      for entry do
        shift
        [ "$entry" = "${line#forget }" ] || set -- "$@" "$entry"
      done
      ;;
  esac
done

for entry do
  signal=${entry#* }
  signal=${signal%% *}
  case $entry in
    'process '*) kill -s "$signal" "${entry##* }" 2>/dev/null ;;
    'group '*) kill -s "$signal" -- "-${entry##* }" 2>/dev/null ;;
  esac
done

tries=0
waiting=yes
while [ -n "$waiting" ] && [ "$tries" -lt "$limit" ]; do
  waiting=
  for entry do
    case $entry in 'process '* | 'group '*) alive "${entry##* }" && waiting=yes ;; esac
  done
  [ -z "$waiting" ] || pause
  tries=$((tries + 1))
done

for entry do
  case $entry in
    'process '*) alive "${entry##* }" && kill -s KILL "${entry##* }" 2>/dev/null ;;
    'group '*) kill -s KILL -- "-${entry##* }" 2>/dev/null ;;
  esac
done

# Repeated, since a process that is just dying may still write below the folder.
for entry do
  case $entry in
    'directory '*)
      tries=0
      while rm -rf -- "${entry#directory }" 2>/dev/null; [ -e "${entry#directory }" ] && [ "$tries" -lt 10 ]; do
        tries=$((tries + 1))
        pause
      done
      ;;
  esac
done
exit 0
