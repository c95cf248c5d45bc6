"""Show how to get completion of commands, flags and live names in your shell.

`kubectl ray` itself needs nothing: kubectl's own completion finds `kubectl_complete-ray`, which is installed beside the
plugin. For `kubectl-ray` called directly, this prints a script for your shell.
"""

from __future__ import annotations

import argparse

from kubectl_ray.results import Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kubectl_ray.context import Context
    from kubectl_ray.results import Event

EXAMPLES = """
  # bash: for this shell; put the line into ~/.bashrc to keep it
  source <(kubectl ray completion bash)

  # zsh: put the line into ~/.zshrc, below compinit
  source <(kubectl ray completion zsh)

  # fish
  kubectl ray completion fish > ~/.config/fish/completions/kubectl-ray.fish
"""

_BASH = r"""# Completion of kubectl-ray for bash.
# `kubectl ray` is completed by kubectl's own: source <(kubectl completion bash)
_kubectl_ray() {
    local line directive=0 current="${COMP_WORDS[COMP_CWORD]}"
    local -a words=("${COMP_WORDS[@]:1:COMP_CWORD-1}")
    COMPREPLY=()
    # bash splits --flag=value into three words
    if [[ $current == "=" ]]; then current=""; fi
    if [[ ${#words[@]} -gt 0 && ${words[-1]} == "=" ]]; then unset 'words[-1]'; fi
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=${line#:} ;;
            *) line=${line%%$'\t'*}; [[ $line == "$current"* ]] && COMPREPLY+=("$line") ;;
        esac
    done < <(kubectl_complete-ray "${words[@]}" "$current" 2>/dev/null)
    if (( directive & 2 )); then compopt -o nospace 2>/dev/null; fi
    if (( ! (directive & 4) && ${#COMPREPLY[@]} == 0 )); then compopt -o default 2>/dev/null; fi
}
complete -F _kubectl_ray kubectl-ray
"""

_ZSH = r"""#compdef kubectl-ray
# Completion of kubectl-ray for zsh.
# `kubectl ray` is completed by kubectl's own: source <(kubectl completion zsh)
_kubectl_ray() {
    local line directive=0
    local -a found
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=${line#:} ;;
            *) found+=("${${line%%$'\t'*}//:/\\:}${${(M)line%%$'\t'*}:+:${line#*$'\t'}}") ;;
        esac
    done < <(kubectl_complete-ray "${words[@]:1:$((CURRENT-1))}" 2>/dev/null)
    if (( $#found )); then
        if (( directive & 2 )); then _describe '' found -S ''; else _describe '' found; fi
    elif (( ! (directive & 4) )); then
        _files
    fi
}
compdef _kubectl_ray kubectl-ray
"""

_FISH = r"""# Completion of kubectl-ray for fish.
# `kubectl ray` is completed by kubectl's own: kubectl completion fish | source
function __kubectl_ray_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in (kubectl_complete-ray $words[2..-1] 2>/dev/null)
        string match -qr '^:[0-9]+$' -- $line; or echo $line
    end
end
complete -c kubectl-ray -f -a '(__kubectl_ray_complete)'
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

_HOW = """\
`kubectl ray` is completed by kubectl's own completion. If `kubectl ray <Tab>` shows nothing, switch that on:

  bash   source <(kubectl completion bash)
  zsh    source <(kubectl completion zsh)
  fish   kubectl completion fish | source

and see that `kubectl_complete-ray` is on your PATH, beside `kubectl-ray`.

For `kubectl-ray` called directly:  kubectl ray completion bash|zsh|fish
"""


class Args(argparse.Namespace):
    """`kubectl ray completion [bash|zsh|fish]`."""

    shell: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument("shell", nargs="?", choices=tuple(_SCRIPTS), metavar="SHELL", help="bash, zsh or fish")


def run(ctx: Context, args: Args) -> Event:  # noqa: ARG001 -- every command is run alike
    """The script for a shell, or how to switch kubectl's own completion on."""
    return Page(_SCRIPTS[args.shell] if args.shell else _HOW)
