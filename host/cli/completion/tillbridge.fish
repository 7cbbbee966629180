# fish: the command itself knows what fits. What it does not answer is a file.
function __tillbridge_complete
    set -lx COMP_LINE (commandline --cut-at-cursor --current-process)
    set -e COMP_POINT
    set -l found (tillbridge complete --described 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline --current-token)
    end
end
complete --command tillbridge --no-files --arguments '(__tillbridge_complete)'
