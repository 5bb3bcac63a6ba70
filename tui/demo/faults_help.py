"""What the command line tells of faults."""

from typing import Final

HELP: Final = """\
\b
FAULT is KIND or KIND:key=value,key=value…
  drop-watches   cut every open watch; with for= also those opened meanwhile
  gone           410: the history asked for is compacted (shape=status|event)
  throttle       429; after= seconds of Retry-After, 0 leaves it out
  error          500, or another status=
  slow           answers and watched changes come delay= seconds late
  stall          connections stay open and say nothing until the fault is over
  truncate       answers and watched lines are cut in the middle
  expired-token  401 to every request
  forbid         403: the user lacks the right
  skew           the cluster's clock is skew= seconds ahead (behind: negative)
  restart        the server goes away for down= seconds (1) and comes back with
                 its history compacted (compact=false keeps it)
\b
Each but skew and restart can be narrowed:
  resource=pods  verb=watch (get list watch create update patch delete)
  p=0.3          meets three requests in ten, drawn from seed=
  for=60         is over after 60 s      times=5  is over after 5 requests
\b
In a running cluster, with the kubeconfig's token:
  kubectl get --raw /kscale/v1/faults                      list
  echo '{"fault":"throttle:resource=pods,for=60"}' |
    kubectl create --raw /kscale/v1/faults -f -            set
  kubectl delete --raw /kscale/v1/faults[/ID]              clear
"""
