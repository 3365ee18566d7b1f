module github.com/eks-irsa/tools/pause

go 1.25.0
