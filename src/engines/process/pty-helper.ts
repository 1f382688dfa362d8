/**
 * Gives a command a terminal. Runs inside the sandbox as the app's own user, in Python because the machine's base tools either lose the
 * exit code or cannot resize. Descriptor 5 brings `<columns> <rows>` lines.
 */
import type { TerminalSize } from '../../core/ports/engine.ts';

const program = `
import fcntl, os, pty, select, signal, struct, sys, termios
def size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    size(0, int(sys.argv[1]), int(sys.argv[2]))
    os.closerange(3, 10)
    try:
        os.execvp(sys.argv[3], sys.argv[3:])
    except OSError as error:
        os.write(2, ('%s: %s\\n' % (sys.argv[3], error.strerror)).encode())
        os._exit(127)
def write(to, data):
    while data:
        data = data[os.write(to, data):]
reading = [0, 5, fd]
control = b''
while True:
    ready = select.select(reading, [], [])[0]
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b''
        if not data:
            break
        write(1, data)
    if 5 in ready:
        data = os.read(5, 4096)
        if not data:
            reading.remove(5)
        *lines, control = (control + data).split(b'\\n')
        for line in lines:
            columns, rows = line.split()
            size(fd, int(columns), int(rows))
    if 0 in ready:
        data = os.read(0, 65536)
        if data:
            write(fd, data)
        else:
            reading.remove(0)
            write(fd, b'\\x04')
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
if status < 0:
    signal.signal(-status, signal.SIG_DFL) if -status not in (9, 19) else None
    os.kill(os.getpid(), -status)
sys.exit(status)
`;

/** The command wrapped so that it runs in a terminal of this size. */
export function terminalCommand(size: TerminalSize, command: readonly string[]): string[] {
  return ['/usr/bin/python3', '-I', '-S', '-c', program, String(size.columns), String(size.rows), ...command];
}

/** The line that descriptor 5 understands. */
export const resizeLine = (size: TerminalSize): string => `${size.columns} ${size.rows}\n`;
